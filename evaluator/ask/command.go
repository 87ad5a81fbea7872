package ask

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

const (
	maxCommandOutput = 1 << 20
	commandWait      = 2 * time.Second // for the pipes to close after a kill
)

// command scores with a program: a sample as JSON in, scores as JSON out.
type command struct {
	*reader
	spec  quality.ScorerSpec
	spent func(quality.Spend)
	idle  chan *process // of a persistent command, at most as many as samples are scored at a time

	mu     sync.Mutex
	closed bool
}

// NewCommand returns a scorer that runs a program for each sample, or one that stays and reads a sample a line.
// The program has the stated environment and no other, a bound on its address space, and is killed with all
// that it started when its time is over.
func NewCommand(spec quality.ScorerSpec, spent func(quality.Spend)) Scorer {
	c := &command{spec: spec, spent: spent, idle: make(chan *process, spec.Concurrency)}
	c.reader = newReader(&c.spec, hashOf(spec.Type, spec.Command))
	return c
}

// Score implements Scorer.
func (c *command) Score(ctx context.Context, s quality.Sample) ([]quality.Score, error) {
	body, err := wire.Marshal(&s)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "encoding the sample: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.spec.Timeout)
	defer cancel()
	c.spent(c.spec.Price.Of(0, 0))
	run := c.once
	if c.spec.Persistent {
		run = c.line
	}
	data, err := run(ctx, append(body, '\n'))
	switch {
	case ctx.Err() != nil:
		return nil, quality.Errorf(quality.KindInvalid, "no answer within %s", c.spec.Timeout)
	case err != nil:
		return nil, err
	}
	return c.read(&s, data)
}

// start begins the program in a process group of its own, with a bound on its memory from its first moment on
// that we can reach it.
func (c *command) start(stdin io.Reader, stdout io.Writer) (*exec.Cmd, error) {
	cmd := exec.Command(c.spec.Command[0], c.spec.Command[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.WaitDelay = []string{}, stdin, stdout, commandWait
	for name, value := range c.spec.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	group(cmd)
	if err := cmd.Start(); err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "the command cannot be started")
	}
	if err := limitMemory(cmd.Process.Pid, uint64(c.spec.MemoryMB)<<20); err != nil {
		kill(cmd)
		_ = cmd.Wait()
		return nil, quality.Errorf(quality.KindInvalid, "the memory of the command cannot be limited")
	}
	return cmd, nil
}

// once runs the program for one sample.
func (c *command) once(ctx context.Context, body []byte) ([]byte, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	out := &capped{most: maxCommandOutput, full: end}
	cmd, err := c.start(bytes.NewReader(body), out)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { kill(cmd) })
	err = cmd.Wait()
	stop()
	kill(cmd) // what it started and left
	if out.over {
		return nil, quality.Errorf(quality.KindInvalid, "the answer has more than %d KiB", maxCommandOutput>>10)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, quality.Errorf(quality.KindInvalid, "the command failed: %s", exit.ProcessState)
	}
	return out.buf.Bytes(), nil
}

// capped keeps the beginning of what is written. The buffer is not embedded: its ReadFrom would read without end.
type capped struct {
	buf  bytes.Buffer
	most int
	full func() // called when more comes
	over bool
}

// Write implements io.Writer.
func (c *capped) Write(p []byte) (int, error) {
	if room := c.most - c.buf.Len(); len(p) > room {
		c.over = true
		c.full()
		_, _ = c.buf.Write(p[:max(0, room)]) // never fails
		return 0, io.ErrShortWrite
	}
	return c.buf.Write(p)
}

// process is a program that stays.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	from *os.File // what out reads
	end  func()
}

func (p *process) close() {
	p.end()
	kill(p.cmd)
	_ = p.cmd.Wait() // it was killed
}

// line gives one sample to a program that stays. One that fails is killed, and the next sample starts another.
func (c *command) line(ctx context.Context, body []byte) ([]byte, error) {
	p, err := c.take()
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() {
		kill(p.cmd)
		p.end()
	})
	data, err := p.exchange(body)
	if !stop() || err != nil {
		p.close()
		if err == nil {
			err = ctx.Err()
		}
		return nil, err
	}
	c.put(p)
	return data, nil
}

// errMore is about a line that would be taken for the answer to the next sample.
var errMore = quality.Errorf(quality.KindInvalid, "the command wrote more than one line for one sample")

func (p *process) exchange(body []byte) ([]byte, error) {
	if waiting(p.from) > 0 { // it came after the answer to the sample before
		return nil, errMore
	}
	if _, err := p.in.Write(body); err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "the command ended")
	}
	var line []byte
	for {
		part, err := p.out.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxCommandOutput:
			return nil, quality.Errorf(quality.KindInvalid, "the answer has more than %d KiB", maxCommandOutput>>10)
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return nil, quality.Errorf(quality.KindInvalid, "the command ended")
		case p.out.Buffered() > 0 || waiting(p.from) > 0:
			return nil, errMore
		default:
			return line, nil
		}
	}
}

func (c *command) take() (*process, error) {
	select {
	case p := <-c.idle:
		return p, nil
	default:
	}
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "the command cannot be reached")
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		closeAll(inR, inW)
		return nil, quality.Errorf(quality.KindInvalid, "the command cannot be reached")
	}
	cmd, err := c.start(inR, outW)
	closeAll(inR, outW) // theirs: when they end, so does what we read
	if err != nil {
		closeAll(inW, outR)
		return nil, err
	}
	return &process{cmd: cmd, in: inW, out: bufio.NewReader(outR), from: outR, end: func() { closeAll(inW, outR) }}, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close() // a pipe has nothing to lose
	}
}

func (c *command) put(p *process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		select {
		case c.idle <- p:
			return
		default:
		}
	}
	p.close()
}

// Version implements Scorer.
func (c *command) Version() string { return c.version }

// Calls implements Scorer.
func (c *command) Calls() int { return 1 }

// Close ends the programs that stay.
func (c *command) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for {
		select {
		case p := <-c.idle:
			p.close()
		default:
			return nil
		}
	}
}
