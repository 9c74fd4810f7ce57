package generator

// Version is the release of idemgen, without the leading v.
const Version = "0.1.0"

// GCPercent is what a program that generates and ends does well to give to
// [runtime/debug.SetGCPercent]. The trees of a document, most of what there is, live
// until the end, and at the default of 100 as much garbage may lie beside them: 60 takes
// a tenth less memory at the peak for a tenth more processor time (docs/benchmarks.md).
const GCPercent = 60
