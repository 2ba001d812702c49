package integration

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// items are the conformance items that are Go functions, by name: `C` and the item's number in three digits, then
// words. The files conformance_*_test.go register them.
var items = map[string]func(*testing.T){}

func register(more map[string]func(*testing.T)) {
	for name, test := range more {
		if items[name] != nil {
			panic(name + " is registered twice")
		}
		items[name] = test
	}
}

// TestConformance runs every item of the conformance checklist, each with a daemon of its own.
func TestConformance(t *testing.T) {
	all := maps.Clone(items)
	for name, talk := range conversations(t, "conformance") {
		if all[name] != nil {
			t.Errorf("%s is both a file and a function", name)
		}
		all[name] = talk.play
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all[name](t)
		})
	}
}

// TestConformanceIsComplete checks that every item has exactly one test.
func TestConformanceIsComplete(t *testing.T) {
	tests := map[string][]string{}
	note := func(name string) {
		number, _, found := strings.Cut(name, "_")
		if !found || !regexp.MustCompile(`^C[0-9]{3}$`).MatchString(number) {
			t.Errorf("%q does not begin with an item's number", name)
		}
		tests[number] = append(tests[number], name)
	}
	for name := range conversations(t, "conformance") {
		note(name)
	}
	for name := range items {
		note(name)
	}
	required := requiredItems()
	for _, number := range required {
		if len(tests[number]) != 1 {
			t.Errorf("%s has %d tests: %q", number, len(tests[number]), tests[number])
		}
	}
	for number, names := range tests {
		if !slices.Contains(required, number) {
			t.Errorf("%s is on no list: %q", number, names)
		}
	}
}

// requiredItems are all items of the checklist.
func requiredItems() (numbers []string) {
	for n := 1; n <= 217; n++ {
		numbers = append(numbers, fmt.Sprintf("C%03d", n))
	}
	return numbers
}
