package servertest

// AdvanceRedis is a script in Lua for Redis, which lets ARGV[1] microseconds pass
// for the record KEYS[1] of runtime/store/redis: it moves the instants in it back,
// and with them the one at which the server forgets it.
const AdvanceRedis = `
local r = redis.call('GET', KEYS[1])
if not r then return 0 end
local version, state, lease, expires, mark, fence, claimed = struct.unpack('>BBddc16dd', r)
if lease > 0 then lease = lease - ARGV[1] end
redis.call('SET', KEYS[1],
	struct.pack('>BBddc16dd', version, state, lease, expires - ARGV[1], mark, fence, claimed - ARGV[1]) .. string.sub(r, 51),
	'PXAT', string.format('%.0f', redis.call('PEXPIRETIME', KEYS[1]) - ARGV[1] / 1000))
return 1`
