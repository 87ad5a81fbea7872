package redact_test

import (
	"fmt"

	"github.com/asgood-dev/asgood/collector/redact"
	"github.com/asgood-dev/asgood/internal/quality"
)

func ExampleRedactor_Sample() {
	r, err := redact.New(redact.Options{Key: []byte("0123456789abcdef0123456789abcdef")})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := quality.Sample{Customer: "acme", Input: quality.Text("I am jane@example.com"), Output: quality.Text("Hello Jane@example.com")}
	n := r.Sample(&s)
	fmt.Println(s.Input.Text)
	fmt.Println(s.Output.Text)
	fmt.Println(n[redact.Email], redact.Email)
	// Output:
	// I am [email:ed005e64]
	// Hello [email:ed005e64]
	// 2 email
}
