package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"daemonproxy/controller/client"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

var topColumns = []string{"NAME", "STATE", "PID", "UPTIME", "RESTARTS", "CPU%", "MEM", "LAST EXIT"}

var topColors = map[string]tcell.Color{
	plain: tcell.ColorDefault, green: tcell.ColorGreen, yellow: tcell.ColorYellow, red: tcell.ColorRed,
}

// refresh shows the present state. Who was chosen stays so, wherever his row has gone.
func (t *top) refresh() {
	state := t.c.State()
	chosen := t.chosen()
	row, _ := t.list.GetSelection()
	t.shown = slices.DeleteFunc(serviceNames(&state), func(name string) bool { return !strings.Contains(name, t.keys.filter) })
	t.list.Clear()
	for column, title := range topColumns {
		t.list.SetCell(0, column, tview.NewTableCell(title).SetSelectable(false).SetAttributes(tcell.AttrBold))
	}
	up := 0
	for _, service := range state.Services {
		if service.State == client.Up {
			up++
		}
	}
	for i, name := range t.shown {
		service := state.Services[name]
		t.showRow(i+1, service)
		if name == chosen {
			row = i + 1
		}
	}
	t.list.Select(max(1, min(row, len(t.shown))), 0)
	path, _ := t.socketPath()
	head := fmt.Sprintf("%s  %s  %d services, %d up", printable(path), time.Now().Format(time.TimeOnly), len(state.Services), up)
	if t.keys.filter != "" {
		head += "  showing *" + t.keys.filter + "*"
	}
	t.head.SetText(head)
	t.foot.SetText(t.keys.message + "\n" + t.keys.help())
}

// chosen is the service whose row is selected, empty if there is none.
func (t *top) chosen() string {
	row, _ := t.list.GetSelection()
	if row < 1 || row > len(t.shown) {
		return ""
	}
	return t.shown[row-1]
}

func (t *top) showRow(row int, s client.Service) {
	pid, uptime, cpu, memory, restarts := "", "", "", "", 0
	if r := t.runs[s.Name]; r != nil {
		restarts = r.count
	}
	switch s.State {
	case client.Up:
		pid, uptime = strconv.Itoa(s.PID), since(s)
		if u := t.usage[s.Name]; u != nil && u.pid == s.PID {
			cpu, memory = u.percent(), bytesShort(u.resident)
		}
	case client.Start:
		uptime = since(s)
	}
	texts := []string{s.Name, s.State, pid, uptime, strconv.Itoa(restarts), cpu, memory, s.LastExit.String()}
	for column, text := range texts {
		if text == "" {
			text = "-"
		}
		cell := tview.NewTableCell(tview.Escape(printable(text))).SetExpansion(0)
		if column > 1 && column < len(texts)-1 {
			cell.SetAlign(tview.AlignRight)
		}
		if column == 1 && colored(t.out) {
			cell.SetTextColor(topColors[stateColor(s)])
		}
		t.list.SetCell(row, column, cell)
	}
}

// bytesShort is a number of bytes in the largest unit that leaves a digit before the point: 512K, 3.4M.
func bytesShort(n int64) string {
	value, unit := float64(n)/1024, "K"
	for _, larger := range []string{"M", "G", "T"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, larger
	}
	if value < 10 && unit != "K" {
		return strconv.FormatFloat(value, 'f', 1, 64) + unit
	}
	return strconv.FormatFloat(value, 'f', 0, 64) + unit
}
