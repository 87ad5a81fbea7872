package explain_test

import (
	"fmt"

	"github.com/asgood-dev/asgood/evaluator/explain"
	"github.com/asgood-dev/asgood/internal/quality"
)

// The pass rate fell from 80 to 70 %, and yet neither language got worse: there is more of the harder one.
func ExampleSplit() {
	sums := func(n, passed int) (s quality.Sums) {
		for i := range n {
			v := 0.0
			if i < passed {
				v = 1
			}
			s.Add(v, 1)
		}
		return s
	}
	split, change := explain.Split("language", []quality.ScoreCell{
		{Value: "en", Before: sums(750, 675), After: sums(500, 450)}, // 90 %
		{Value: "de", Before: sums(250, 125), After: sums(500, 250)}, // 50 %
	})
	fmt.Printf("change %.2f, mix %.2f, within %.2f\n", change.Value, split.Mix.Value, split.Within.Value)
	// Output: change -0.10, mix -0.10, within 0.00
}
