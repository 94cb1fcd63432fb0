package data

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// fetchFrom downloads from a server of one handler.
func fetchFrom(t *testing.T, stall time.Duration, h http.HandlerFunc) ([]byte, error) {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	client := newClient()
	defer client.CloseIdleConnections()
	return download(t.Context(), client, s.URL+"/file.gz", 1<<20, stall)
}

func TestDownloadLeavesCompressedFilesAlone(t *testing.T) {
	want := gzipped([]byte("content"))
	got, err := fetchFrom(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("asks for the encoding %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(want)
	})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes and %v", len(got), err)
	}
}

func TestDownloadFollowsRedirects(t *testing.T) {
	got, err := fetchFrom(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file.gz" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "here")
	})
	if err != nil || string(got) != "here" {
		t.Errorf("got %q and %v", got, err)
	}
}

func TestDownloadFailuresSayWhy(t *testing.T) {
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		says []string
	}{
		"status":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, []string{"status 403 Forbidden"}},
		"announced": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99999999999") }, []string{"99999999999 bytes", "1048576"}},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = w.Write([]byte("abc"))
		}, []string{"after 3 bytes", "unexpected EOF"}},
		"endless":      {endless, []string{"more than the 1048576 bytes"}},
		"hangs":        {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, []string{"nothing received for 300ms"}},
		"hangs midway": {stuck, []string{"after 3 bytes", "nothing received for 300ms"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := fetchFrom(t, 300*time.Millisecond, c.h)
			if err == nil {
				t.Fatalf("got %d bytes and no error", len(got))
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for zeros := make([]byte, 1<<16); ; {
		if _, err := w.Write(zeros); err != nil {
			return
		}
	}
}

func stuck(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "abc")
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func TestDownloadIsPatientWithASlowLine(t *testing.T) {
	got, err := fetchFrom(t, time.Second, func(w http.ResponseWriter, _ *http.Request) {
		for range 6 { // longer than a stall in all
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(200 * time.Millisecond)
		}
	})
	if err != nil || len(got) != 6 {
		t.Errorf("got %q and %v", got, err)
	}
}

func TestDownloadCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }))
	defer s.Close()
	if _, err := download(ctx, newClient(), s.URL, 1<<20, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := download(t.Context(), newClient(), "http://[bad", 1<<20, time.Minute); err == nil {
		t.Error("a malformed address gives no error")
	}
}
