package files_test

import (
	"bytes"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"
)

// table is a row of the tests' Parquet files.
type table struct {
	O    string    `parquet:"o,optional"`
	When time.Time `parquet:"when,optional,timestamp(microsecond)"`
	ID   int64     `parquet:"id,optional"`
	Chat []turn    `parquet:"chat,list,optional"`
}

type turn struct {
	Role    string `json:"role" parquet:"role"`
	Content string `json:"content" parquet:"content,optional"`
}

func parquetOf[T any](t testing.TB, rows []T, options ...pq.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pq.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
