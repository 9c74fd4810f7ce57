package runtime

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// SweepRunner removes expired records from a store from time to time. Records
// expire without it too: it only gives their room back. The zero value of every
// field but Store is usable. It starts nothing by itself: call Run.
type SweepRunner struct {
	Store    Store         // ErrNoSweep when it has nothing to sweep
	Interval time.Duration // between rounds; 0: one minute
	Batch    int           // records per statement; 0: 1000
	Log      *slog.Logger  // failures; nil: slog.Default()
	Swept    func(ctx context.Context, records int)
}

// ErrNoSweep is returned by Run for a store that removes its records itself.
var ErrNoSweep = errors.New("idem: the store has no records to sweep: it needs no SweepRunner")

// Run sweeps until ctx ends, and returns nil then. A failing round is logged
// and the next one tries again.
func (s *SweepRunner) Run(ctx context.Context) error {
	sweeper, ok := s.Store.(Sweeper)
	if !ok {
		return ErrNoSweep
	}
	interval := orDefault(s.Interval, time.Minute)
	for {
		if err := s.round(ctx, sweeper); err != nil && ctx.Err() == nil {
			log := s.Log
			if log == nil {
				log = slog.Default()
			}
			log.LogAttrs(ctx, slog.LevelError, "sweep failed", slog.Any("error", err))
		}
		// Several processes share a store: do not let them sweep in step.
		timer := time.NewTimer(interval/2 + rand.N(interval))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// round sweeps batch after batch until one is not full.
func (s *SweepRunner) round(ctx context.Context, sweeper Sweeper) error {
	batch := orDefault(s.Batch, 1000)
	for {
		n, err := sweeper.Sweep(ctx, batch)
		if n > 0 && s.Swept != nil {
			s.Swept(ctx, n)
		}
		if err != nil || n < batch {
			return err
		}
	}
}
