//go:build !linux

package still

func swap(a, b string) error { return swapByRename(a, b) }
