package statuspage

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
)

// Limits of a live connection. A client that does not answer pings or does not take what it is sent is let go.
const (
	liveQueue     = 4
	liveReadLimit = 512
	livePing      = 30 * time.Second
	liveSilence   = 75 * time.Second
	liveWrite     = 10 * time.Second
)

// hub tells live clients that the view changed, and what it says now. The page itself they fetch later, from the cache.
type hub struct {
	max     int
	metrics *metrics
	buffers sync.Pool

	mu       sync.Mutex
	clients  map[*client]struct{}
	networks map[string]int                        // clients of each, without those that are not bounded
	last     map[string]*websocket.PreparedMessage // by language, what a new client is told
	closed   bool
}

type client struct {
	lang    string
	network string                          // whose places it takes; empty is not bounded
	queue   chan *websocket.PreparedMessage // closed when the client is let go
}

func newHub(maxClients int, m *metrics) *hub {
	return &hub{max: maxClients, metrics: m, clients: map[*client]struct{}{}, networks: map[string]int{}}
}

// publish tells what is news to every client, in its language.
func (h *hub) publish(n news) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = n.greeting()
	// Half a millisecond each keeps the rate of fetches at some two thousand a second.
	messages := n.prepare(int64(len(h.clients) / 2))
	for c := range h.clients {
		m := messages[c.lang]
		if m == nil {
			continue // what cannot be written is fetched with the next change
		}
		select {
		case c.queue <- m:
		default:
			h.metrics.dropped.WithLabelValues(dropSlow).Inc()
			h.removeLocked(c)
		}
	}
}

// add returns a new client with the current state in its queue, or nil when there is no room. The state
// is the one published last, under the same lock, so that no client misses the change in between.
func (h *hub) add(lang, network string) *client {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.last[lang]
	if h.closed || len(h.clients) >= h.max || m == nil || network != "" && h.networks[network] >= h.max/networkShare {
		return nil
	}
	if network != "" {
		h.networks[network]++
	}
	c := &client{lang: lang, network: network, queue: make(chan *websocket.PreparedMessage, liveQueue)}
	c.queue <- m
	h.clients[c] = struct{}{}
	h.metrics.clients.Set(float64(len(h.clients)))
	return c
}

func (h *hub) remove(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.removeLocked(c)
}

func (h *hub) removeLocked(c *client) {
	if _, ok := h.clients[c]; !ok {
		return
	}
	delete(h.clients, c)
	if h.networks[c.network]--; h.networks[c.network] <= 0 {
		delete(h.networks, c.network) // also what is not bounded, and was never counted
	}
	close(c.queue)
	h.metrics.clients.Set(float64(len(h.clients)))
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c := range h.clients {
		h.removeLocked(c)
	}
}

// live serves one live connection.
func (p *Page) live(c *gin.Context) error {
	if !p.sameOrigin(c.Request) {
		p.metrics.dropped.WithLabelValues(dropOrigin).Inc()
		c.AbortWithStatus(http.StatusForbidden)
		return nil
	}
	if !websocket.IsWebSocketUpgrade(c.Request) {
		c.Header("Upgrade", "websocket")
		c.AbortWithStatus(http.StatusUpgradeRequired)
		return nil
	}
	cl := p.hub.add(p.language(c).Tag, networkOf(c.ClientIP()))
	if cl == nil {
		p.metrics.dropped.WithLabelValues(dropFull).Inc()
		c.Header("Retry-After", "30")
		c.AbortWithStatus(http.StatusServiceUnavailable)
		return nil
	}
	up := websocket.Upgrader{
		HandshakeTimeout: liveWrite, ReadBufferSize: 512, WriteBufferPool: &p.hub.buffers,
		CheckOrigin: func(*http.Request) bool { return true }, // checked above, so that a refusal is counted
	}
	conn, err := up.Upgrade(c.Writer, c.Request, nil)
	if err != nil {
		p.hub.remove(cl)
		return nil //nolint:nilerr // the upgrader has answered the request
	}
	// The request ends here: what it holds is more than what a client needs, and clients stay for days.
	go write(conn, cl)
	go func() {
		read(conn)
		p.hub.remove(cl)
	}()
	return nil
}

// networkShare is the part of the places that one network may hold, as 1 of so many.
const networkShare = 4

// networkOf names the network of a caller, within which addresses cost nothing. Empty, and not bounded, are those that
// are no network of a visitor: proxies and this machine.
func networkOf(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.IsPrivate() || a.IsLoopback() {
		return ""
	}
	bits := 64
	if a = a.Unmap(); a.Is4() {
		bits = 32
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// sameOrigin lets browsers connect only from the page itself. Other programs send no origin.
func (p *Page) sameOrigin(r *http.Request) bool {
	o := r.Header.Get("Origin")
	if o == "" {
		return true
	}
	u, err := url.Parse(o)
	return err == nil && (strings.EqualFold(u.Host, r.Host) || p.origin.Host != "" && strings.EqualFold(u.Host, p.origin.Host))
}

// read takes nothing but pongs, until the connection ends.
func read(conn *websocket.Conn) {
	conn.SetReadLimit(liveReadLimit)
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(liveSilence)) }
	conn.SetPongHandler(alive)
	if alive("") != nil {
		return
	}
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

// write sends what is queued, and pings, until the client is let go or does not take it.
func write(conn *websocket.Conn, c *client) {
	defer func() { _ = conn.Close() }() // ends read too; there is nobody to tell of an error
	ping := time.NewTicker(livePing)
	defer ping.Stop()
	for {
		select {
		case m, ok := <-c.queue:
			deadline := time.Now().Add(liveWrite)
			if !ok {
				bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
				_ = conn.WriteControl(websocket.CloseMessage, bye, deadline) // a courtesy
				return
			}
			if conn.SetWriteDeadline(deadline) != nil || conn.WritePreparedMessage(m) != nil {
				return
			}
		case <-ping.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(liveWrite)) != nil {
				return
			}
		}
	}
}
