package generator

// Version is the release of idemgen, without the leading v.
const Version = "0.1.0"
