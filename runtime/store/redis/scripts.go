package redis

import goredis "github.com/redis/go-redis/v9"

// A record is a hash. Instants are microseconds since 1970 by the server's clock;
// Lua's numbers hold them exactly until 2255.
//
//	s  state: 0 free, 1 running, 2 done     p  fingerprint
//	f  fence                                a  attempts
//	l  end of the lease, 0: none            e  end of the retention
//	h  1: on hold                           n  the call that changed it last
//	t  status                               g  flags
//	H  headers, absent if nil               b  body, absent if nil
//	o  operation                            c  when it was claimed
//
// n makes a call that the client repeats, because it did not hear the answer,
// find that it has been done.
const (
	prelude = `
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function int(n) return string.format('%.0f', n) end
local function keep(instant) redis.call('PEXPIREAT', key, int(math.ceil(instant / 1000))) end
`
	// readPrelude reads what a claim or look-up is decided by. Absent is free.
	readPrelude = prelude + `
local r = redis.call('HMGET', key, 's', 'p', 'f', 'l', 'e', 'h', 'a', 't', 'H', 'b', 'g', 'n')
local state, lease, expires = r[1] or '0', tonumber(r[4] or '0'), tonumber(r[5] or '0')
local live = (state == '2' and expires > now) or (state == '1' and (expires > now or lease > now))
`
	// ownedPrelude leaves unless the record runs under the fence ARGV[1]. A call
	// that has been done has left its mark ARGV[2] already.
	ownedPrelude = prelude + `
local r = redis.call('HMGET', key, 's', 'f', 'l', 'e', 'n', 'h')
if r[2] ~= ARGV[1] then return 0 end
if r[1] ~= '1' then return r[5] == ARGV[2] and 1 or 0 end
local lease, expires = tonumber(r[3]), tonumber(r[4])
`
	// unknownPrelude is ownedPrelude, and leaves unless somebody has to find out
	// what became of the run.
	unknownPrelude = ownedPrelude + `
if r[6] ~= '1' or lease > now or expires <= now then return 0 end
`
	// ARGV: fence, mark, retention, status, flags, and pairs of a field and its
	// value: headers, body
	finish = `
expires = now + ARGV[3]
redis.call('HSET', key, 's', '2', 'l', '0', 'e', int(expires), 't', ARGV[4], 'g', ARGV[5], 'n', ARGV[2], unpack(ARGV, 6))
keep(expires)
return 1
`
	// The free record is kept for a minute, so that the fence rises from it even
	// if the clock does not.
	//
	// ARGV: fence, mark.
	giveBack = `
expires = now + 60000000
redis.call('HSET', key, 's', '0', 'h', '0', 'l', '0', 'e', int(expires), 'n', ARGV[2])
keep(expires)
return 1
`
)

var (
	// lookupScript returns {} or the record.
	lookupScript = goredis.NewScript(readPrelude + `
if not live then return {} end
return {lease - now, expires - now, r}
`)

	// claimScript returns the record, or {fence, attempts} when it is owned. Its
	// first write is one that a full server refuses: nothing is half done then.
	//
	// ARGV: fingerprint, lease, retention, hold, operation, mark.
	claimScript = goredis.NewScript(readPrelude + `
local same = state == '1' and r[2] == ARGV[1]
if state == '1' and r[12] == ARGV[6] then return {r[3], r[7]} end
if live and not (same and lease <= now and r[6] == '0') then
	return {lease - now, expires - now, r}
end
local fence = int(math.max(tonumber(r[3] or '0') + 1, now))
local attempts = same and int(r[7] + 1) or '1'
lease, expires = now + ARGV[2], now + ARGV[3]
redis.call('HSET', key, 's', '1', 'p', ARGV[1], 'f', fence, 'a', attempts, 'l', int(lease), 'e', int(expires),
	'h', ARGV[4], 'o', ARGV[5], 'c', int(now), 'n', ARGV[6])
if state == '2' then redis.call('HDEL', key, 't', 'g', 'H', 'b') end
keep(math.max(lease, expires))
return {fence, attempts}
`)

	// ARGV: fence, mark, lease.
	heartbeatScript = goredis.NewScript(ownedPrelude + `
lease = now + ARGV[3]
expires = math.max(expires, lease)
redis.call('HSET', key, 'l', int(lease), 'e', int(expires))
keep(expires)
return 1
`)

	// ARGV: fence, mark.
	abandonScript = goredis.NewScript(ownedPrelude + `
lease = math.min(lease, now)
redis.call('HSET', key, 'l', int(lease))
keep(math.max(lease, expires))
return 1
`)

	completeScript    = goredis.NewScript(ownedPrelude + finish)
	releaseScript     = goredis.NewScript(ownedPrelude + giveBack)
	resolveDoneScript = goredis.NewScript(unknownPrelude + finish)
	resolveFreeScript = goredis.NewScript(unknownPrelude + giveBack)

	// getScript returns {} or the record and what is known of its claim.
	getScript = goredis.NewScript(readPrelude + `
if not live then return {} end
local about = redis.call('HMGET', key, 'o', 'c')
return {lease - now, expires - now, r, about[1], about[2]}
`)

	// unknownScript is getScript for unknown records only.
	unknownScript = goredis.NewScript(readPrelude + `
if state ~= '1' or r[6] ~= '1' or lease > now or expires <= now then return {} end
local about = redis.call('HMGET', key, 'o', 'c')
return {lease - now, expires - now, r, about[1], about[2]}
`)
)
