package redis

import goredis "github.com/redis/go-redis/v9"

// Scripts read and write records in the format of record.go, whose places they
// count from 1. A script writes once, with SET, which a full server refuses:
// nothing is half done then. Numbers of Lua go to SET as text without an
// exponent, because servers differ in how they write them; what is known before
// is an argument, which costs the server less.
const (
	prelude = `
local time = redis.call('TIME')
local r = redis.call('GET', KEYS[1])
`
	// clock is the server's, in microseconds.
	clock = `
local now = time[1] * 1000000 + time[2]
`
	// ownedPrelude leaves unless the record runs under the fence ARGV[1]: with 0,
	// or with -1 if it is malformed. A call that has been done has left its mark
	// ARGV[2] already.
	ownedPrelude = prelude + `
if not r then return 0 end
if #r < 92 or string.byte(r) ~= 1 then return -1 end
if string.sub(r, 35, 42) ~= ARGV[1] then return 0 end
local _, state, lease, expires = struct.unpack('>BBdd', r)
if state ~= 1 then return string.sub(r, 19, 34) == ARGV[2] and 1 or 0 end
local answer = ''
` + clock

	// unknownPrelude is ownedPrelude, and leaves unless somebody has to find out
	// what became of the run.
	unknownPrelude = ownedPrelude + `
if not (string.byte(r, 55) == 1 and lease <= now and expires > now) then return 0 end
`
)

// write ends a step. life is the option of SET that says when the key disappears.
func write(life string) string {
	return `
redis.call('SET', KEYS[1], struct.pack('>BBddc16', 1, state, lease, expires, ARGV[2]) .. string.sub(r, 35) .. answer, ` + life + `)
return 1
`
}

var (
	// ARGV: fence, mark, retention, the key's life, answer.
	finish = `
state, lease, expires, answer = 2, 0, now + ARGV[3], ARGV[5]
` + write(`'PX', ARGV[4]`)

	// The free record is kept for a minute, so that the fence rises from it even
	// if the clock does not.
	//
	// ARGV: fence, mark.
	giveBack = `
state, lease, expires = 0, 0, now + 60000000
` + write(`'PX', '60000'`)
)

var (
	// lookupScript returns {seconds, microseconds, value}, without judging it.
	lookupScript = goredis.NewScript(prelude + `
return {time[1], time[2], r}
`)

	// unknownScript is lookupScript for unknown records only, and malformed ones.
	// Otherwise it returns {}.
	unknownScript = goredis.NewScript(prelude + clock + `
if not r then return {} end
if #r >= 92 and string.byte(r) == 1 then
	local _, state, lease, expires = struct.unpack('>BBdd', r)
	if state ~= 1 or string.byte(r, 55) ~= 1 or lease > now or expires <= now then return {} end
end
return {time[1], time[2], r}
`)

	// claimScript returns what lookupScript does, or {fence, attempts} when the
	// record is owned. What it cannot read is not claimable.
	//
	// ARGV: mark, lease, retention (at least the lease), the key's life, and what
	// is to run: the part of the record from hold to the operation.
	claimScript = goredis.NewScript(prelude + clock + `
local fence, attempts = now, 1
if r then
	if #r < 92 or string.byte(r) ~= 1 then return {time[1], time[2], r} end
	local _, state, lease, expires, mark, last, _, tries, hold = struct.unpack('>BBddc16ddI4B', r)
	if state == 1 and mark == ARGV[1] then return {last, tries} end
	local same = state == 1 and string.sub(r, 56, 88) == string.sub(ARGV[5], 2, 34)
	if not (state == 0
		or state == 2 and expires <= now
		or state == 1 and lease <= now and (expires <= now or same and hold == 0)) then
		return {time[1], time[2], r}
	end
	fence = math.max(now, last + 1)
	if same then attempts = tries + 1 end
end
redis.call('SET', KEYS[1],
	struct.pack('>BBddc16ddI4', 1, 1, now + ARGV[2], now + ARGV[3], ARGV[1], fence, now, attempts) .. ARGV[5],
	'PX', ARGV[4])
return {fence, attempts}
`)

	// ARGV: fence, mark, lease.
	heartbeatScript = goredis.NewScript(ownedPrelude + `
lease = now + ARGV[3]
expires = math.max(expires, lease)
` + write(`'PXAT', string.format('%.0f', math.ceil(expires / 1000))`))

	// ARGV: fence, mark.
	abandonScript = goredis.NewScript(ownedPrelude + `
lease = math.min(lease, now)
` + write(`'KEEPTTL'`))

	completeScript    = goredis.NewScript(ownedPrelude + finish)
	releaseScript     = goredis.NewScript(ownedPrelude + giveBack)
	resolveDoneScript = goredis.NewScript(unknownPrelude + finish)
	resolveFreeScript = goredis.NewScript(unknownPrelude + giveBack)
)
