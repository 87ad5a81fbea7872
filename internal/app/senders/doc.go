// Package senders holds the tests of the whole program with senders that others wrote: the OpenTelemetry
// SDKs of Go and JavaScript, GenAI instrumentations from npm in front of a stub model, and a collector
// built from OpenTelemetry's modules. `make senders` installs and builds what the tests run.
//
// It leaves out what our own code can show alone: how conventions are read is tested in collector/spans,
// the protocol in collector. Everything runs on loopback addresses and unix sockets.
package senders
