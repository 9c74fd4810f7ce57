package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/servertest"
)

// browser finds Chromium.
func browser(t *testing.T) string {
	t.Helper()
	return servertest.Program(t, "chromium", "chromium-browser", "google-chrome")
}

// look opens a page in a headless browser and returns what it looks like in the
// end, as HTML.
func look(t *testing.T, url string, options ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage",
		"--user-data-dir=" + t.TempDir(), "--virtual-time-budget=30000",
	}, options...)
	cmd := exec.CommandContext(ctx, browser(t), append(args, url)...)
	cmd.WaitDelay = 10 * time.Second // children of the browser may keep its output open
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return stdout.String()
}

// The story on the page: Bob's stale save is refused, he fetches and merges, and
// both changes are there in the end.
func TestPage_Story(t *testing.T) {
	browser(t)
	handler, store := open(t)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	page := look(t, server.URL+"/#play", "--dump-dom")
	for _, want := range []string{
		`data-story="told"`, "← 412 Precondition Failed",
		"Saved. The profile is now version 3.", `"city":"New York"`, "Found the first bug",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
	var version int
	var city, bio string
	row := store.Reader().QueryRowContext(t.Context(), "SELECT version, city, bio FROM profiles WHERE id = 1")
	if err := row.Scan(&version, &city, &bio); err != nil {
		t.Fatal(err)
	}
	if version != 3 || city != "New York" || !strings.HasPrefix(bio, "Found the first bug") {
		t.Errorf("the row is version %d, %q, %q: an edit was lost", version, city, bio)
	}
}

// TestPage_Screenshot keeps a picture where IDEMGEN_SCREENSHOTS names a
// directory, for people to look at.
func TestPage_Screenshot(t *testing.T) {
	dir := os.Getenv("IDEMGEN_SCREENSHOTS")
	if dir == "" {
		t.Skip("IDEMGEN_SCREENSHOTS is not set: it names the directory for pictures of the page")
	}
	browser(t)
	for name, size := range map[string]string{"wide": "1200,900", "phone": "420,1500"} {
		handler, _ := open(t)
		server := httptest.NewServer(handler)
		file := filepath.Join(dir, "profiles-"+name+".png")
		look(t, server.URL+"/#play", "--hide-scrollbars", "--window-size="+size, "--screenshot="+file)
		server.Close()
		if info, err := os.Stat(file); err != nil || info.Size() < 10_000 {
			t.Errorf("%s: %v", file, err)
		}
	}
}
