// Command guest is the module of the tests. What the output of the sample says is what it does.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"time"
)

var seen int // state that would leak

func main() {
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	var s struct {
		Output string `json:"output"`
	}
	if err := json.Unmarshal(data, &s); err != nil {
		panic(err)
	}
	do(s.Output)
}

func do(what string) {
	switch what {
	case "score":
		fmt.Println(`{"value": 0.5, "label": "so so", "explanation": "why"}`)
	case "list":
		fmt.Println(`[{"value": 1}, {"metric": "calm", "value": 0.25}, {"metric": "care", "error": "unsure"}]`)
	case "none":
	case "null":
		fmt.Println("null")
	case "garbage":
		fmt.Println("fine, thanks")
	case "exit":
		fmt.Fprintln(os.Stderr, "the word list\nis missing", strings.Repeat("x", 5000))
		os.Exit(3)
	case "panic":
		panic("no")
	case "loop":
		for {
			seen++
		}
	case "sleep":
		time.Sleep(time.Second)
		fmt.Println(`{"value": 1}`)
	case "memory":
		var all [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b)
		}
	case "huge":
		w := bufio.NewWriterSize(os.Stdout, 1<<16)
		for {
			_, _ = w.WriteString("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
		}
	case "world":
		world()
	case "state":
		seen++
		_ = os.WriteFile("/seen", []byte("1"), 0o600)
		_, err := os.ReadFile("/seen")
		fmt.Printf(`{"value": %d, "label": "%t"}`, seen, err == nil)
	}
}

// world tells what of the world outside can be seen.
func world() {
	var found []string
	for _, path := range []string{"/etc/passwd", "/", ".", "/proc/self/environ"} {
		if f, err := os.Open(path); err == nil {
			_ = f.Close()
			found = append(found, path)
		}
	}
	if len(os.Environ()) > 0 || len(os.Args) > 1 {
		found = append(found, "environment")
	}
	if c, err := net.DialTimeout("tcp", "127.0.0.1:22", time.Second); err == nil {
		_ = c.Close()
		found = append(found, "network")
	}
	fmt.Printf(`{"value": %d, "label": %q, "explanation": "%d %d"}`, len(found), strings.Join(found, " "), time.Now().Year(), rand.Int64())
}
