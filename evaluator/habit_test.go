package evaluator

import "testing"

func fed(rows ...int) *habit {
	h := &habit{}
	for i, n := range rows {
		for range n {
			h.add(float64((i + 1) % 2))
		}
	}
	return h
}

func TestHabit(t *testing.T) {
	mixed := &habit{}
	for i := range 2000 {
		mixed.add(float64(min(1, i%10)))
	}
	for range 300 {
		mixed.add(1)
	}
	for name, tt := range map[string]struct {
		h    *habit
		want bool
	}{
		"always the same":                            {fed(5000), false},
		"well again after a regression":              {fed(600, 100, 2000), false},
		"a regression is no habit":                   {fed(600, 100, 50_000), true},
		"nine of ten, then nothing but":              {mixed, true},
		"nearly always the same, and then the other": {fed(600, 30), true},
	} {
		if got := tt.h.constant(); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}
