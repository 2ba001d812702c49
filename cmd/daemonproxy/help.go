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
		b.WriteString(padding(line))
		b.WriteString(o.help)
		b.WriteByte('\n')
	}
	line := "  -- PROGRAM [ARGS...]"
	b.WriteString(line + padding(line) + programHelp + "\n\n")
	return b.String()
}

// padding leads from the end of a line to the column of its help.
func padding(line string) string {
	const spaces = "                                        "
	return spaces[:max(2, helpColumn-len(line))]
}
