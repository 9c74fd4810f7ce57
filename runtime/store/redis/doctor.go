package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// checkClient says what is wrong with the client and the options.
func (s *Store) checkClient() error {
	waitable := false
	switch s.client.(type) {
	case nil:
		return errors.New("a client is needed")
	case *goredis.Ring:
		return errors.New("a Ring moves keys to other servers when one is down, and their requests would run again: use a Client, a FailoverClient or a ClusterClient")
	case *goredis.Client, *goredis.ClusterClient:
		waitable = true
	}
	if s.replicas == 0 && s.patience == 0 {
		return nil
	}
	if s.replicas < 1 || s.patience < time.Millisecond {
		return fmt.Errorf("WithWait(%d, %v): at least one replica and one millisecond are needed", s.replicas, s.patience)
	}
	if !waitable {
		return fmt.Errorf("WithWait needs a *Client or a *ClusterClient of go-redis, not a %T: WAIT goes to the connection that wrote", s.client)
	}
	return nil
}

// checkEviction asks every server that keeps records whether it evicts them.
func (s *Store) checkEviction(ctx context.Context) error {
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *goredis.Client) error {
			return noEviction(ctx, node)
		})
	}
	return noEviction(ctx, s.client)
}

// noEviction reads the policy from INFO, which hosted servers answer that refuse
// CONFIG.
func noEviction(ctx context.Context, server goredis.Cmdable) error {
	info, err := server.Info(ctx, "memory").Result()
	if err != nil {
		return fmt.Errorf("ask for the eviction policy with INFO memory: %w", err)
	}
	for line := range strings.Lines(info) {
		policy, ok := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:")
		switch {
		case !ok:
		case policy == "noeviction":
			return nil
		default:
			return fmt.Errorf("maxmemory-policy is %s, and a record that the server evicts lets its request run again: set maxmemory-policy noeviction, or accept that with redis.WithEvictionAccepted", policy)
		}
	}
	return errors.New("INFO memory has no maxmemory_policy, and a record that the server evicts lets its request run again: if this one never evicts, say redis.WithEvictionAccepted")
}
