package webhook_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/asgood-dev/asgood/internal/webhook"
)

// The vector that is published with the specification.
const (
	vectorSecret    = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

const secret = "whsec_" + vectorSecret

// received is a request as it arrived.
type received struct {
	header http.Header
	body   []byte
}

func receiver(t *testing.T, answer http.HandlerFunc) (url string, got *[]received) {
	t.Helper()
	got = &[]received{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*got = append(*got, received{r.Header, body})
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func failure(t *testing.T, err error) *webhook.Error {
	t.Helper()
	var e *webhook.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if !slices.Contains(webhook.Reasons(), e.Reason) {
		t.Errorf("got reason %q, which is not on the list", e.Reason)
	}
	return e
}

func TestPublishedVector(t *testing.T) {
	url, got := receiver(t, ok)
	for _, secret := range []string{secret, vectorSecret} {
		*got = nil
		s := webhook.New(nil, func() time.Time { return time.Unix(1614265330, 999_999_999) })
		if err := s.Send(t.Context(), url, secret, vectorID, []byte(vectorBody)); err != nil {
			t.Fatal(err)
		}
		r := (*got)[0]
		want := map[string]string{"Webhook-Id": vectorID, "Webhook-Timestamp": "1614265330", "Webhook-Signature": vectorSignature,
			"Content-Type": "application/json", "User-Agent": "asgood-webhook"}
		for name, v := range want {
			if r.header.Get(name) != v {
				t.Errorf("%s: got %q, want %q", name, r.header.Get(name), v)
			}
		}
		if string(r.body) != vectorBody {
			t.Errorf("got body %q", r.body)
		}
	}
}

func TestTheLibraryVerifiesWhatWeSign(t *testing.T) {
	url, got := receiver(t, ok)
	if err := webhook.New(nil, nil).Send(t.Context(), url, secret, "msg_1", []byte(`{"ü": "<&>"}`)); err != nil {
		t.Fatal(err)
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	r := (*got)[0]
	if err := verifier.Verify(r.body, r.header); err != nil {
		t.Error(err)
	}
	if verifier.Verify(append(r.body, ' '), r.header) == nil {
		t.Error("another body has the same signature")
	}
	r.header.Set("webhook-id", "msg_2")
	if verifier.Verify(r.body, r.header) == nil {
		t.Error("another id has the same signature")
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		after  string
		want   webhook.Error // no reason means delivered
	}{
		{status: 200}, {status: 202}, {status: 299},
		{status: 301, want: webhook.Error{Reason: "status", Retry: true}},
		{status: 304, want: webhook.Error{Reason: "status", Retry: true}},
		{status: 400, want: webhook.Error{Reason: "status", Retry: true}},
		{status: 401, want: webhook.Error{Reason: "status", Retry: true}},
		{status: 404, want: webhook.Error{Reason: "status", Retry: true}},
		{status: 410, after: "60", want: webhook.Error{Reason: "gone"}},
		{status: 429, after: "60", want: webhook.Error{Reason: "status", Retry: true, RetryAfter: time.Minute}},
		{status: 500, want: webhook.Error{Reason: "status", Retry: true}},
		{status: 502, after: "Thu, 25 Feb 2021 14:02:10 GMT", want: webhook.Error{Reason: "status", Retry: true, RetryAfter: 30 * time.Minute}},
		{status: 503, after: "Thu, 25 Feb 2021 13:02:10 GMT", want: webhook.Error{Reason: "status", Retry: true}},
		{status: 503, after: "-5", want: webhook.Error{Reason: "status", Retry: true}},
		{status: 503, after: "soon", want: webhook.Error{Reason: "status", Retry: true}},
		{status: 504, after: "99999999999999999999", want: webhook.Error{Reason: "status", Retry: true, RetryAfter: 365 * 24 * time.Hour}},
		{status: 599, want: webhook.Error{Reason: "status", Retry: true}},
		{status: 999, want: webhook.Error{Reason: "status", Retry: true}},
	} {
		url, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.after)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
		})
		s := webhook.New(nil, func() time.Time { return time.Date(2021, 2, 25, 13, 32, 10, 0, time.UTC) })
		err := s.Send(t.Context(), url, secret, "msg_1", []byte("{}"))
		if c.want.Reason == "" {
			if err != nil {
				t.Errorf("%d: got %v, want that it is delivered", c.status, err)
			}
			continue
		}
		if e := failure(t, err); e.Reason != c.want.Reason || e.Retry != c.want.Retry || e.RetryAfter != c.want.RetryAfter {
			t.Errorf("%d %q: got %+v, want %+v", c.status, c.after, *e, c.want)
		}
	}
}

func TestASignedMessageIsNotSentElsewhere(t *testing.T) {
	elsewhere, got := receiver(t, ok)
	url, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusPermanentRedirect)
	})
	if e := failure(t, webhook.New(nil, nil).Send(t.Context(), url, secret, "msg_1", []byte("{}"))); e.Reason != webhook.ReasonStatus {
		t.Errorf("got %+v", e)
	}
	if len(*got) != 0 {
		t.Error("the redirect was followed")
	}
}

// raw is a receiver that speaks TCP as it likes.
func raw(t *testing.T, answer func(c net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
				}
				answer(c)
			}()
		}
	}()
	return l.Addr().String()
}

func write(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

// TestErrorsTellNothingSecret sends to receivers that fail in every way, some of which say back what they
// were sent.
func TestErrorsTellNothingSecret(t *testing.T) {
	const path = "/pathsecret?key=querysecret"
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plainHTTP, _ := receiver(t, ok)
	tls := httptest.NewTLSServer(http.HandlerFunc(ok))
	t.Cleanup(tls.Close)
	for name, c := range map[string]struct{ url, reason, says string }{
		"refused":             {"http://user:passsecret@" + closed.Addr().String() + path, "network", "connection refused"},
		"closed":              {"http://user:passsecret@" + raw(t, write("")) + path, "network", "connection was closed"},
		"garbage":             {"http://" + raw(t, write("HTTP/1.1 pathsecret querysecret\r\n\r\n")) + path, "network", "no usable answer"},
		"no HTTP":             {"http://" + raw(t, write("pathsecret querysecret\r\n\r\n")) + path, "network", "no usable answer"},
		"status with a text":  {"http://" + raw(t, write("HTTP/1.1 500 pathsecret querysecret\r\n\r\n")) + path, "status", "answered 500 Internal Server Error"},
		"status out of range": {"http://" + raw(t, write("HTTP/1.1 799 pathsecret\r\n\r\n")) + path, "status", "answered 799"},
		"endless headers":     {"http://" + raw(t, endless("HTTP/1.1 200 OK\r\n", "X: pathsecret\r\n")) + path, "network", "no usable answer"},
		"TLS to plain":        {strings.Replace(plainHTTP, "http:", "https:", 1) + path, "network", "no usable answer"},
		"unknown certificate": {tls.URL + path, "network", "certificate"},
		"no such host":        {"http://pathsecret.invalid" + path, "network", ""},
		"other scheme":        {"ftp://127.0.0.1" + path, "network", "no usable answer"},
		"bad address":         {"http://127.0.0.1:99999" + path, "network", ""},
		"bad URL":             {"http://[::1" + path, "request", "the address cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			err := webhook.New(nil, nil).Send(t.Context(), c.url, secret, "msg_1", []byte("{}"))
			e := failure(t, err)
			if e.Reason != c.reason || !strings.Contains(e.Error(), c.says) || e.Retry != (c.reason != "request") {
				t.Errorf("got %+v: %v, want %s: %s", *e, e, c.reason, c.says)
			}
			for _, s := range []string{"passsecret", "pathsecret", "querysecret", vectorSecret, "http://", "user"} {
				if strings.Contains(err.Error(), s) {
					t.Errorf("the error tells %q: %v", s, err)
				}
			}
		})
	}
	for _, bad := range []string{"whsec_%%%", "passsecret!"} {
		err := webhook.New(nil, nil).Send(t.Context(), plainHTTP, bad, "msg_1", nil)
		if e := failure(t, err); e.Reason != "request" || e.Retry || strings.Contains(err.Error(), bad) {
			t.Errorf("got %+v, want a request that cannot be made", *e)
		}
	}
}

// endless writes until the other side hangs up.
func endless(head, item string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := io.WriteString(c, head); err != nil {
			return
		}
		block := []byte(strings.Repeat(item, 1000))
		for {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}
}

func TestHugeAnswersAreDelivered(t *testing.T) {
	bomb := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		block := make([]byte, 1<<20)
		for range 64 {
			if _, err := z.Write(block); err != nil {
				return
			}
		}
		z.Close()
	}
	zipped, _ := receiver(t, bomb)
	for name, url := range map[string]string{
		"endless body": "http://" + raw(t, endless("HTTP/1.1 200 OK\r\n\r\n", "x")),
		"bomb":         zipped,
	} {
		if err := webhook.New(nil, nil).Send(t.Context(), url, secret, "msg_1", []byte("{}")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// slow answers, or its bodies come, when the caller no longer waits.
type slow struct{ header bool }

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.header {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(waiting{r.Context()}), Header: http.Header{}, Request: r}, nil
}

type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}

func TestSlowReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		e := failure(t, webhook.New(slow{}, nil).Send(t.Context(), "http://a.example/pathsecret", secret, "msg_1", []byte("{}")))
		if e.Reason != "timeout" || !e.Retry || time.Since(began) != 15*time.Second || strings.Contains(e.Error(), "pathsecret") {
			t.Errorf("got %+v: %v after %s", *e, e, time.Since(began))
		}
		began = time.Now()
		// The status was good: the message is there, whatever comes of the body.
		if err := webhook.New(slow{header: true}, nil).Send(t.Context(), "http://a.example", secret, "msg_1", []byte("{}")); err != nil || time.Since(began) > 15*time.Second {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if err := webhook.New(slow{}, nil).Send(ctx, "http://a.example", secret, "msg_1", []byte("{}")); err == nil || time.Since(began) != time.Second {
			t.Errorf("got %v after %s, want an end with the context", err, time.Since(began))
		}
	})
}

func TestCheckSecret(t *testing.T) {
	long := "whsec_" + strings.Repeat("AAAA", 21) // 63 bytes
	for s, good := range map[string]bool{
		secret: true, vectorSecret: true, long: true, long + "AA==": true, long + "AAA=": false,
		"": false, "whsec_": false, "whsec_c2hvcnQ=": false, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS": false, "not base64, not base64, not base64": false,
	} {
		if err := webhook.CheckSecret(s); (err == nil) != good {
			t.Errorf("%q: got %v, want good: %v", s, err, good)
		} else if err != nil && s != "" && strings.Contains(err.Error(), strings.TrimPrefix(s, "whsec_")) && s != "whsec_" {
			t.Errorf("the secret is told: %v", err)
		}
	}
}

func BenchmarkSend(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(ok))
	b.Cleanup(s.Close)
	sender, body := webhook.New(nil, nil), bytes.Repeat([]byte("x"), 2000)
	for b.Loop() {
		if err := sender.Send(b.Context(), s.URL, secret, "msg_1", body); err != nil {
			b.Fatal(err)
		}
	}
}
