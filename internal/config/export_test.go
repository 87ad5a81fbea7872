package config

// HidesKey reports whether texts under a key are hidden.
func HidesKey(name string) bool { return secretKeys.MatchString(name) }
