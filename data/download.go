package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// newClient is an HTTP client that gives up where no one answers. It leaves compressed files compressed.
func newClient() *http.Client {
	return &http.Client{Timeout: 15 * time.Minute, Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second,
		IdleConnTimeout:       10 * time.Second,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
	}}
}

// fromMirror is a directory on a web server.
func (f *finder) fromMirror(base string) place {
	return place{
		name: base,
		read: func(ctx context.Context, file file) ([]byte, error) {
			raw, err := download(ctx, f.client, base+file.name+".gz", maxFile, f.stall)
			if err != nil {
				return nil, fmt.Errorf("%s.gz: %w", file.name, err)
			}
			return raw, nil
		},
		remote: true,
	}
}

// download fetches one file of at most limit bytes. A slow line may take its time; one that brings nothing for
// as long as stall may not.
func download(ctx context.Context, client *http.Client, address string, limit int64, stall time.Duration) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing received for %v", stall)) })
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, because(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", resp.Status)
	}
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("%d bytes, more than the %d that such a file may have", resp.ContentLength, limit)
	}
	raw, err := io.ReadAll(io.LimitReader(awake{resp.Body, watch, stall}, limit+1))
	if err != nil {
		return nil, fmt.Errorf("after %d bytes: %w", len(raw), because(ctx, err))
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("more than the %d bytes that such a file may have", limit)
	}
	return raw, nil
}

// because prefers the reason of a cancellation to its effect, and leaves out the address, which the caller names.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// awake puts off the watch whenever something arrives.
type awake struct {
	io.Reader
	watch *time.Timer
	stall time.Duration
}

func (a awake) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if n > 0 {
		a.watch.Reset(a.stall)
	}
	return n, err
}
