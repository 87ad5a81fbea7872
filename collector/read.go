package collector

import (
	"errors"
	"io"
	"iter"

	"github.com/asgood-dev/asgood/internal/quality"
)

// ReadSamples reads samples of the native format: NDJSON, a JSON array, or one JSON object. An error
// names the line or index. After an error of one record the next ones follow; after an error of r, or a
// broken array, nothing does.
func ReadSamples(r io.Reader) iter.Seq2[quality.Sample, error] {
	return func(yield func(quality.Sample, error) bool) {
		recs, err := newRecords(r, "")
		if err != nil {
			yield(quality.Sample{}, err)
			return
		}
		var dec decoder[quality.Sample]
		for {
			rec, err := recs.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(quality.Sample{}, atPlace(recs.where(), err))
				return
			}
			s, err := readSample(&dec, rec)
			if err != nil {
				err = atPlace(rec.at, err)
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// readSample decodes a record and checks what can be checked without the configuration.
func readSample(d *decoder[quality.Sample], rec record) (quality.Sample, error) {
	if rec.err != nil {
		return quality.Sample{}, rec.err
	}
	s, err := d.decode(rec.data)
	if err != nil {
		return s, err
	}
	return s, CheckSample(&s)
}

// DecodeSample decodes one sample of the native format and checks nothing that it means.
func DecodeSample(record []byte) (quality.Sample, error) {
	if len(record) > MaxRecord {
		return quality.Sample{}, errRecordTooLarge
	}
	var d decoder[quality.Sample]
	return d.decode(record)
}

// CheckSample checks what can be checked of a sample without the configuration. The error names the field.
func CheckSample(s *quality.Sample) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return checkBounds(s)
}
