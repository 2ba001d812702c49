package main

import "strings"

// helpColumn is where the descriptions of --help begin.
const helpColumn = 30

const programHelp = "entrypoint: run the program as service main, end with its status"

// helpText is what --help prints: a line an option, and an empty one to end.
func helpText(table []option) string {
	var b strings.Builder
	b.WriteString(versionLine())
	b.WriteString("options:\n")
	for i := range table {
		o := &table[i]
		line := "      --"
		if o.short != 0 {
			line = "  -" + string(rune(o.short)) + ", --"
		}
		line += o.long
		if o.arg != "" {
			line += " " + o.arg
		}
		b.WriteString(line)
		b.WriteString(strings.Repeat(" ", max(2, helpColumn-len(line))))
		b.WriteString(o.help)
		b.WriteByte('\n')
	}
	line := "  -- PROGRAM [ARGS...]"
	b.WriteString(line + strings.Repeat(" ", helpColumn-len(line)) + programHelp + "\n\n")
	return b.String()
}
