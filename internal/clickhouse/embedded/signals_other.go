//go:build !linux

package embedded

// keepSignals does nothing where the engine is not shipped for.
func keepSignals() (restore func()) { return func() {} }
