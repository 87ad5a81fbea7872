package wire

import (
	"bytes"
	"fmt"

	"github.com/asgood-dev/asgood/internal/quality"
)

// formCompact is the first byte of a message in the compact form; a JSON text begins with no such byte. Another
// compact form gets another byte, and this one stays readable: messages outlive the program that wrote them.
const formCompact = 1

// DeliveryWriter makes a message of a quality.Delivery: samples that are encoded already, then the rest.
type DeliveryWriter struct{ buf []byte }

// NewDeliveryWriter begins a message of a number of samples that takes about size bytes.
func NewDeliveryWriter(samples, size int) *DeliveryWriter {
	buf := append(make([]byte, 0, size), formCompact)
	return &DeliveryWriter{buf: appendNumber(buf, uint64(samples))}
}

// Sample adds what a SampleWriter wrote. There must be as many as were announced.
func (w *DeliveryWriter) Sample(data []byte) {
	w.buf = append(appendNumber(w.buf, uint64(len(data))), data...)
}

// Finish adds all but the samples and returns the message.
func (w *DeliveryWriter) Finish(rest *quality.Delivery) ([]byte, error) {
	d := *rest
	d.Samples = nil
	data, err := Marshal(&d)
	if err != nil {
		return nil, fmt.Errorf("encoding a delivery: %w", err)
	}
	return append(w.buf, data...), nil
}

// ReadDelivery reads a message of the stream of samples, in the compact form or as JSON.
func ReadDelivery(message []byte) (d quality.Delivery, err error) {
	if len(message) == 0 || message[0] != formCompact {
		err = Unmarshal(message, &d)
		return d, err
	}
	c := cursor{rest: message[1:]}
	samples := make([]quality.Sample, c.count(leastSample))
	for i := range samples {
		if err := readSample(c.take(c.number()), &samples[i]); err != nil {
			return quality.Delivery{}, fmt.Errorf("sample %d of %d: %w", i+1, len(samples), err)
		}
	}
	if c.broken {
		return quality.Delivery{}, errBroken
	}
	if rest := bytes.TrimSpace(c.rest); len(rest) == 0 || rest[0] != '{' {
		return quality.Delivery{}, errBroken
	}
	if err := Unmarshal(c.rest, &d); err != nil {
		return quality.Delivery{}, fmt.Errorf("reading all but the samples: %w", err)
	}
	if len(samples) > 0 {
		d.Samples = samples
	}
	return d, nil
}

// leastSample is how few bytes a sample can have, its length included.
const leastSample = 11
