// Command mailpit is the mail server of the tests: it takes every mail, shows it by an API, and fails when told to.
package main

import "github.com/axllent/mailpit/cmd"

func main() { cmd.Execute() }
