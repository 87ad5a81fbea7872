package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// Kind says what a value is. The zero value is Null.
type Kind int8

// The kinds of values.
const (
	Null    Kind = iota // none is there
	Text                // a text
	Literal             // a number, true or false, as JSON writes it
	JSON                // a list or an object
	Time                // a moment; Text is its RFC 3339 form
)

// MaxValue bounds one value of a row, in bytes. A larger one is refused with its row.
const MaxValue = 4 << 20

// ErrTooLarge is the refusal of a row with a value larger than MaxValue.
var ErrTooLarge = errors.New("a value is larger than the limit of 4 MiB")

// Value is what a row has in a column.
type Value struct {
	Kind Kind
	Text string
	Time time.Time
}

// reader turns the physical values of a column into what they mean.
type reader func(v pq.Value) (Value, error)

// readerOf returns how the values of a leaf are read. Times without a zone are in loc.
func readerOf(e *format.SchemaElement, loc *time.Location) reader {
	switch t := e.LogicalType.Value.(type) {
	case *format.TimestampType:
		return timestamps(unitOf(t.Unit), zoneOf(t.IsAdjustedToUTC, loc))
	case *format.DecimalType:
		return decimals(int(t.Scale))
	case *format.DateType:
		return dates(loc)
	case *format.TimeType:
		return clocks(unitOf(t.Unit))
	case *format.IntType:
		return integers(t.IsSigned)
	case *format.UUIDType:
		return uuid
	case *format.Float16Type:
		return half
	}
	if e.ConvertedType.Valid {
		if r := convertedReader(e, loc); r != nil {
			return r
		}
	}
	return plainValue
}

// convertedReader reads the annotations of older writers.
func convertedReader(e *format.SchemaElement, loc *time.Location) reader {
	switch e.ConvertedType.V {
	case deprecated.TimestampMillis:
		return timestamps(time.Millisecond, time.UTC)
	case deprecated.TimestampMicros:
		return timestamps(time.Microsecond, time.UTC)
	case deprecated.Decimal:
		return decimals(int(e.Scale.V))
	case deprecated.Date:
		return dates(loc)
	case deprecated.TimeMillis:
		return clocks(time.Millisecond)
	case deprecated.TimeMicros:
		return clocks(time.Microsecond)
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return integers(false)
	}
	return nil
}

func unitOf(u format.TimeUnit) time.Duration {
	if u.Value == nil {
		return time.Millisecond
	}
	return u.Value.Duration()
}

func zoneOf(utc bool, loc *time.Location) *time.Location {
	if utc {
		return time.UTC
	}
	return loc
}

func plainValue(v pq.Value) (Value, error) {
	switch v.Kind() {
	case pq.Boolean:
		return Value{Kind: Literal, Text: strconv.FormatBool(v.Boolean())}, nil
	case pq.Int32:
		return Value{Kind: Literal, Text: strconv.FormatInt(int64(v.Int32()), 10)}, nil
	case pq.Int64:
		return Value{Kind: Literal, Text: strconv.FormatInt(v.Int64(), 10)}, nil
	case pq.Int96:
		return int96(v.Int96()), nil
	case pq.Float:
		return float(float64(v.Float()), 32), nil
	case pq.Double:
		return float(v.Double(), 64), nil
	default:
		return text(v.ByteArray())
	}
}

func text(b []byte) (Value, error) {
	if len(b) > MaxValue {
		return Value{}, ErrTooLarge
	}
	if !utf8.Valid(b) {
		return Value{}, errors.New("not valid UTF-8")
	}
	return Value{Kind: Text, Text: string(b)}, nil
}

// float writes a number as JSON does. What is not a number is how some writers say that there is none.
func float(x float64, width int) Value {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Value{}
	}
	form := byte('f')
	if size := math.Abs(x); size != 0 && (size < 1e-6 || size >= 1e21) {
		form = 'e'
	}
	return Value{Kind: Literal, Text: strconv.FormatFloat(x, form, -1, width)}
}

func integers(signed bool) reader {
	if signed {
		return plainValue
	}
	return func(v pq.Value) (Value, error) {
		x := uint64(v.Int64())
		if v.Kind() == pq.Int32 {
			x = uint64(v.Uint32())
		}
		return Value{Kind: Literal, Text: strconv.FormatUint(x, 10)}, nil
	}
}

func moment(t time.Time) Value {
	t = t.UTC()
	return Value{Kind: Time, Text: t.Format(time.RFC3339Nano), Time: t}
}

func timestamps(unit time.Duration, loc *time.Location) reader {
	return func(v pq.Value) (Value, error) {
		if v.Kind() != pq.Int64 {
			return Value{}, errors.New("a time that is not an INT64")
		}
		x, per := v.Int64(), int64(time.Second/unit)
		t := time.Unix(x/per, x%per*int64(unit)).UTC()
		if loc != time.UTC { // a wall clock's reading
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc)
		}
		return moment(t), nil
	}
}

func dates(loc *time.Location) reader {
	return func(v pq.Value) (Value, error) {
		return moment(time.Date(1970, 1, 1+int(v.Int32()), 0, 0, 0, 0, loc)), nil
	}
}

func clocks(unit time.Duration) reader {
	return func(v pq.Value) (Value, error) {
		x := v.Int64()
		if v.Kind() == pq.Int32 {
			x = int64(v.Int32())
		}
		if x < 0 || x > int64(24*time.Hour/unit) {
			return Value{}, errors.New("a time of day outside of a day")
		}
		return Value{Kind: Text, Text: time.Time{}.Add(time.Duration(x) * unit).Format("15:04:05.999999999")}, nil
	}
}

// int96 is a time of older writers: nanoseconds of the day, and the Julian day.
func int96(x deprecated.Int96) Value {
	const unixEpoch = 2440588
	nanos := int64(uint64(x[1])<<32 | uint64(x[0]))
	day := int64(x[2]) - unixEpoch
	return moment(time.Unix(day*86400+nanos/1e9, nanos%1e9))
}

// maxDecimal bounds a decimal's bytes and scale; 38 digits take 16.
const maxDecimal = 64

func decimals(scale int) reader {
	return func(v pq.Value) (Value, error) {
		var x *big.Int
		switch v.Kind() {
		case pq.Int32:
			x = big.NewInt(int64(v.Int32()))
		case pq.Int64:
			x = big.NewInt(v.Int64())
		default:
			b := v.ByteArray()
			if len(b) > maxDecimal {
				return Value{}, fmt.Errorf("a decimal of %d bytes, at most %d", len(b), maxDecimal)
			}
			x = new(big.Int).SetBytes(b)
			if len(b) > 0 && b[0] >= 0x80 { // two's complement
				x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
			}
		}
		if scale < 0 || scale > 4*maxDecimal {
			return Value{}, fmt.Errorf("a decimal with %d digits behind the point", scale)
		}
		return Value{Kind: Literal, Text: point(x, scale)}, nil
	}
}

// point writes x / 10^scale, without zeroes at the end.
func point(x *big.Int, scale int) string {
	digits, sign := new(big.Int).Abs(x).String(), ""
	if x.Sign() < 0 {
		sign = "-"
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, part := digits[:len(digits)-scale], strings.TrimRight(digits[len(digits)-scale:], "0")
	if part == "" {
		return sign + whole
	}
	return sign + whole + "." + part
}

func uuid(v pq.Value) (Value, error) {
	b := v.ByteArray()
	if len(b) != 16 {
		return Value{}, fmt.Errorf("a UUID of %d bytes", len(b))
	}
	return Value{Kind: Text, Text: fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])}, nil
}

// half reads numbers of 16 bits.
func half(v pq.Value) (Value, error) {
	b := v.ByteArray()
	if len(b) != 2 {
		return Value{}, fmt.Errorf("a number of 16 bits in %d bytes", len(b))
	}
	u := binary.LittleEndian.Uint16(b)
	exponent, fraction := int(u>>10&0x1f), float64(u&0x3ff)
	x := math.Ldexp(1024+fraction, exponent-25)
	switch exponent {
	case 0:
		x = math.Ldexp(fraction, -24)
	case 31:
		return Value{}, nil
	}
	if u>>15 == 1 {
		x = -x
	}
	return float(x, 32), nil
}
