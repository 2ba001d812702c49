package mainthread

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"daemonproxy/actor/logger"
)

func TestRunningListsInNameOrder(t *testing.T) {
	var r Running
	if r.list() != nil {
		t.Fatal("the zero value lists something")
	}
	entries := make([]Entry, 5)
	for i := range entries {
		r.Add(&entries[i])
	}
	longest := strings.Repeat("n", 31)
	entries[0].Started([]byte("z"), 1)
	entries[1].Started([]byte("A"), 2)
	entries[2].Started([]byte(longest), 3)
	entries[3].Started([]byte("gone"), 4)
	entries[3].Ended()
	got := r.list()
	want := []runningService{{"A", 2}, {longest, 3}, {"z", 1}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%+v", got)
		}
	}
	entries[2].Started([]byte("m"), 5) // the slot's next service has a shorter name
	if got := r.list(); got[1] != (runningService{"m", 5}) {
		t.Fatalf("%+v", got)
	}
}

func TestNamesAreSorted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		list := make([]runningService, n)
		for i := range list {
			list[i] = runningService{strconv.Itoa(random.IntN(n)), i}
		}
		sortByName(list)
		if !slices.IsSortedFunc(list, func(a, b runningService) int { return strings.Compare(a.name, b.name) }) {
			t.Fatalf("%v", list)
		}
	}
}

func TestRunningWhileItGrows(t *testing.T) {
	var r Running
	var adding sync.WaitGroup
	for range 4 {
		adding.Go(func() {
			for range 100 {
				e := new(Entry)
				r.Add(e)
				e.Started([]byte("s"), 1)
				r.list()
			}
		})
	}
	adding.Wait()
	if n := len(r.list()); n != 400 {
		t.Fatalf("%d services", n)
	}
}

func TestRunningAllocatesNothing(t *testing.T) {
	var e Entry
	name := []byte("some.service-name")
	if allocs := testing.AllocsPerRun(100, func() {
		e.Started(name, 7)
		e.Ended()
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}

func TestTheFirstOrderCounts(t *testing.T) {
	d := New(logger.New(), nil)
	if !d.Open() {
		t.Fatal("closed at start")
	}
	select {
	case <-d.Ordered():
		t.Fatal("ordered at start")
	default:
	}
	d.Terminate(3, "first")
	d.Terminate(4, "second")
	<-d.Ordered()
	if d.Open() || d.Ending() != (End{3, "first"}) {
		t.Fatalf("%+v", d.Ending())
	}
	var orders sync.WaitGroup
	d = New(logger.New(), nil)
	for i := range 8 {
		orders.Go(func() {
			d.Terminate(int64(i), TerminatedNormally)
			<-d.Ordered()
			_ = d.Ending()
		})
	}
	orders.Wait()
}
