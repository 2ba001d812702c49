package integration

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestConversations holds those conversations that belong to no item of the checklist.
func TestConversations(t *testing.T) {
	for name, talk := range conversations(t, "conversations") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			talk.play(t)
		})
	}
}

// conversations reads the files of a directory below testdata.
func conversations(t *testing.T, dir string) map[string]conversation {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]conversation{}
	for _, path := range files {
		talk, err := readConversation(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".txt")] = talk
	}
	return all
}
