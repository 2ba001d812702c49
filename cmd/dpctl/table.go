package main

import (
	"strings"
	"unicode/utf8"
)

// table is text in aligned columns.
type table struct {
	rows  [][]cell
	color bool
}

// cell is one text and its colour.
type cell struct{ text, color string }

// add appends a row of texts without colour.
func (t *table) add(texts ...string) {
	row := make([]cell, len(texts))
	for i, text := range texts {
		row[i] = cell{text, plain}
	}
	t.rows = append(t.rows, row)
}

// String aligns the columns two blanks apart, with no blanks at the ends of lines. Empty cells show as "-".
func (t *table) String() string {
	var widths []int
	for _, row := range t.rows {
		for i := range row {
			if row[i].text = printable(row[i].text); row[i].text == "" {
				row[i].text = "-"
			}
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].text))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		for i, c := range row {
			text := c.text
			if t.color {
				text = paint(text, c.color)
			}
			b.WriteString(text)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)+2))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
