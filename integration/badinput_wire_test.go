package integration

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// wireCase is some bytes that hold no command to obey, and all that is answered.
type wireCase struct {
	name   string
	bytes  string
	answer []string // events
	log    []string // controller 1's
}

const (
	tooLong    = "error\tline too long"
	tooLongLog = "error: controller[1] command exceeds buffer size"
	hasNUL     = "error\tline contains NUL"
	hasNULLog  = "error: controller[1] line contains NUL"
)

var wireCases = []wireCase{
	{"empty lines", "\n\n\n", nil, nil},
	{"blanks", " \n   \t \r\n\t\n", nil, nil},
	{"a line of blanks", strings.Repeat(" ", 4095) + "\n", nil, nil},
	{"a line of 4095 tabs", strings.Repeat("\t", 4095) + "\n", nil, nil},
	{"10,000 tabs", strings.Repeat("\t", 10000) + "\n", []string{tooLong}, []string{tooLongLog}},
	{"10,000 blanks", strings.Repeat(" ", 10000) + "\n", []string{tooLong}, []string{tooLongLog}},
	{"tabs after a command", "echo" + strings.Repeat("\t", 4091) + "\n", []string{strings.Repeat("\t", 4090)}, nil},
	{"10,000 tabs after a command", "service.delete\tidle" + strings.Repeat("\t", 10000) + "\n",
		[]string{tooLong}, []string{tooLongLog}},
	{"4096 bytes", "service.delete\tidle\t" + strings.Repeat("x", 4076) + "\n", []string{tooLong}, []string{tooLongLog}},
	{"a megabyte", "service.delete\tidle" + strings.Repeat("x", 1<<20) + "\n", []string{tooLong}, []string{tooLongLog}},
	{"commands within a long line", strings.Repeat("x", 4096) + "service.delete\tidle\n", []string{tooLong}, []string{tooLongLog}},
	{"two long lines", strings.Repeat(strings.Repeat("x", 5000)+"\n", 2), []string{tooLong, tooLong}, []string{tooLongLog, tooLongLog}},
	{"a long comment", "#" + strings.Repeat("x", 9000) + "\n", nil, nil},
	{"a long comment of NULs", "#" + strings.Repeat("\x00", 9000) + "\n", nil, nil},
	{"a comment with NUL", "# \x00\n", nil, nil},
	{"NUL alone", "\x00\n", []string{hasNUL}, []string{hasNULLog}},
	{"NUL at the end", "service.delete\tidle\x00\n", []string{hasNUL}, []string{hasNULLog}},
	{"NUL at the start", "\x00service.delete\tidle\n", []string{hasNUL}, []string{hasNULLog}},
	{"NUL as a field", "service.tags\tidle\t\x00\n", []string{hasNUL}, []string{hasNULLog}},
	{"NUL in a blank line", "  \x00\t\n", []string{hasNUL}, []string{hasNULLog}},
	{"NUL in an unknown command", "bogus\x00\n", []string{hasNUL}, []string{hasNULLog}},
	{"4095 NULs", strings.Repeat("\x00", 4095) + "\n", []string{hasNUL}, []string{hasNULLog}},
	{"a long line with NUL", strings.Repeat("x\x00", 3000) + "\n", []string{tooLong}, []string{tooLongLog}},
}

// TestBadBytes sends each case in one write, and once more byte by byte or in small pieces.
func TestBadBytes(t *testing.T) {
	t.Parallel()
	d := badDaemon(t)
	a := d.client("a")
	before := d.i.timeless()
	for _, c := range wireCases {
		for _, piece := range []int{len(c.bytes), 1 + len(c.bytes)/50} {
			for part := range slices.Chunk([]byte(c.bytes), piece) {
				a.raw(string(part))
			}
			for _, want := range c.answer {
				a.exactly(want)
			}
			a.sync()
			for _, want := range c.log {
				d.log.exactly(want)
			}
		}
		if after := d.i.timeless(); !slices.Equal(before, after) {
			t.Errorf("%s: the state has changed\nfrom %q\nto   %q", c.name, before, after)
		}
	}
	d.logSync()
}

// TestHalfALineAtTheEnd: a client's last line without LF is dropped, whatever it says.
func TestHalfALineAtTheEnd(t *testing.T) {
	t.Parallel()
	d := badDaemon(t)
	before := d.i.timeless()
	for _, half := range []string{
		"s", "service.delete\tidle", "service.delete\tidle\r", "service.delete\tidle\t",
		"service.delete\tidle\x00", "fd.delete\tr", "terminate\t0", "#", strings.Repeat("x", 4096),
	} {
		a := d.client("a")
		a.raw("echo\tbefore\n" + half)
		a.shut()
		a.exactly("before")
		a.rest() // nothing, or that the line is too long
		a.close()
		if len(half) < 4096 {
			d.log.exactly("warning: Command ends with EOF... ignored")
		}
	}
	d.expectRunning()
	if after := d.i.timeless(); !slices.Equal(before, after) {
		t.Errorf("the state has changed\nfrom %q\nto   %q", before, after)
	}
}

// TestEveryByte: all bytes but NUL, TAB and LF are data, alone and together.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	d := badDaemon(t)
	var all []byte
	for b := range 256 {
		if b != 0 && b != '\t' && b != '\n' {
			all = append(all, byte(b))
		}
	}
	data := string(all)

	before := d.i.timeless()
	for _, b := range all {
		switch b {
		case ' ', '\r', '#': // silent
			d.i.raw(string([]byte{b, '\n'}))
		default:
			d.i.raw(string([]byte{b, '\n'}))
			d.i.exactly("error\tUnknown command: " + string([]byte{b}))
			d.log.exactly("error: controller[0] sent unknown command " + string([]byte{b}))
		}
		text := "No such service"
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", rune(b)) {
			text = "Invalid service name"
		}
		line := "service.start\tx" + string([]byte{b})
		d.i.raw(line + "\n")
		d.i.exactly("error\t" + text + ", for command " + quoted(line))
		d.log.exactly("error: controller[0] command failed: " + quotedInLog(line))
		d.log.exactly("error:   with error: '" + text + "'")
	}
	d.logSync()
	if after := d.i.timeless(); !slices.Equal(before, after) {
		t.Errorf("the state has changed\nfrom %q\nto   %q", before, after)
	}

	for _, command := range []string{"service.tags\ts\t", "service.args\ts\t", "service.args\t-\t\t"} {
		d.i.raw(command + data + "\n")
		d.i.exactly(command + data)
		if !slices.Contains(d.i.timeless(), command+data) {
			t.Errorf("the dump has no %q", command+data)
		}
	}
	d.i.raw("echo\t" + data + "\n")
	d.i.exactly(data)

	// In an argument of a program, and in the name of a file.
	d.i.raw("service.args\ts\t" + d.text("{helper args}") + "\t" + data + "\n")
	d.i.send("service.fds⇥s⇥null⇥stderr⇥stderr", "service.start⇥s")
	d.log.exactly("1")
	d.log.exactly(fmt.Sprintf("%q", data))
	d.i.await("service.state⇥s⇥down⇥{any}⇥exit⇥0⇥{int}⇥0")
	name := strings.NewReplacer("/", "", "{", "", "}", "").Replace(data)
	d.i.raw("fd.open\tbytes\twrite,create\t" + d.dir + "/" + name + "\n")
	d.i.exactly("fd.state\tbytes\tfile\twrite,create\t" + d.dir + "/" + name)
	expectMode(t, d.dir+"/"+name, 0o600)
}

// TestManyEmptyFields: an empty field is a field, and thousands of them fit into a line.
func TestManyEmptyFields(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	const fields = 4000
	tabs := strings.Repeat("\t", fields)
	d.i.raw("service.tags\ts" + tabs + "\n")
	d.i.exactly("service.tags\ts" + tabs)
	d.i.raw("service.args\ts" + tabs + "\n")
	d.i.exactly("service.args\ts" + tabs)
	d.i.raw("service.fds\ts" + tabs + "\n")
	for range fields {
		d.i.exactly(`warning: fd "" is not yet defined`)
	}
	d.i.exactly("service.fds\ts" + tabs)
	d.i.raw("service.auto_up\ts\t3" + tabs + "\n")
	d.i.exactly("service.auto_up\ts\t-")
	d.i.send("service.start⇥s")
	d.i.expect(`error⇥no args configured for service, for command "service.start⇥s"`)
	d.i.raw("fd.open\ta\tread\t/dev/null" + tabs + "\n")
	d.i.expect("error⇥unexpected argument after path, for command {any}")
	for _, command := range []string{"service.delete\ts", "terminate.guard\t+\t5", "terminate.guard\t-\t5"} {
		d.i.raw(command + tabs + "\n") // extra arguments are ignored
	}
	d.i.exactly("service.state\ts\tdeleted\t-\t-\t-\t-\t-\t-")
	d.i.sync()
}

// TestNoise writes random bytes into connections, whose only answers are errors, and watches that nothing changes.
func TestNoise(t *testing.T) {
	t.Parallel()
	seed := seedFor(t)
	random := rand.New(rand.NewPCG(seed, 0))
	d := badDaemon(t)
	d.i.send("log.filter⇥fatal")
	d.i.skip()
	before := d.i.timeless()
	for range 20 {
		noise := make([]byte, 20_000)
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		for i := range noise {
			switch random.IntN(60) { // many lines, many fields
			case 0:
				noise[i] = '\n'
			case 1:
				noise[i] = '\t'
			}
		}
		a := d.dial("noise")
		sent := make(chan error, 1)
		go func() {
			_, err := io.Copy(a.conn, bytes.NewReader(noise))
			a.conn.CloseWrite()
			sent <- err
		}()
		for _, line := range a.rest() {
			if !strings.HasPrefix(line, "error\t") {
				t.Errorf("got %q", line)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		a.close()
	}
	if after := d.i.timeless(); !slices.Equal(before, after) {
		t.Errorf("the state has changed\nfrom %q\nto   %q", before, after)
	}
}
