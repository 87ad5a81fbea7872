package web

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/gin-gonic/gin"
)

// shownDigits is how many significant digits a fraction is shown with: sums of figures that are kept in short form
// carry noise from the eighth on.
const shownDigits = 7

// JSON answers with a value whose fractions are rounded to seven significant digits. It is for what people and
// their scripts look at; what is computed with goes out as it is.
func JSON(c *gin.Context, status int, v any) error {
	data, err := Round(v)
	if err != nil {
		return err
	}
	c.Data(status, "application/json; charset=utf-8", data)
	return nil
}

// Round returns a value as JSON with its fractions rounded, for a part of an answer whose other parts stay as they
// are.
func Round(v any) (json.RawMessage, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return rounded(data), nil
}

// rounded rounds the fractions of a JSON text.
func rounded(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == '"':
			end := i + 1
			for end < len(data) && data[end] != '"' {
				if data[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(data))
			out, i = append(out, data[i:end]...), end
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(data) && numeric(data[end]) {
				end++
			}
			out, i = appendShort(out, data[i:end]), end
		default:
			out, i = append(out, c), i+1
		}
	}
	return out
}

func numeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

// appendShort writes a number; a whole one stays as it is.
func appendShort(out, number []byte) []byte {
	whole := true
	for _, c := range number {
		whole = whole && c != '.' && c != 'e' && c != 'E'
	}
	if whole || len(number) <= shownDigits+1 {
		return append(out, number...)
	}
	x, err := strconv.ParseFloat(string(number), 64)
	if err != nil {
		return append(out, number...)
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', shownDigits-1, 64), 64)
	if err != nil {
		return append(out, number...)
	}
	data, err := json.Marshal(short)
	if err != nil {
		return append(out, number...)
	}
	return append(out, data...)
}
