package runtime

// SupportsGeneratedV1 is referenced by generated code. It is renamed only when
// the runtime stops supporting code of that generation, so that a mismatch of
// generator and runtime is a compile error instead of a surprise.
const SupportsGeneratedV1 = true
