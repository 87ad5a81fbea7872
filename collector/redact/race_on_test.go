//go:build race

package redact_test

// raceDetector makes pools forget at random.
const raceDetector = true
