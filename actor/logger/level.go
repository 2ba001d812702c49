package logger

// Level ranks a message. As a filter it lets through what is strictly above it, so None lets everything
// through and Fatal nothing.
type Level uint8

// The levels, low to high.
const (
	None Level = iota
	Trace
	Debug
	Info
	Warning
	Error
	Fatal
)

var levelNames = [...]string{"none", "trace", "debug", "info", "warning", "error", "fatal"}

// String is the level's name as it stands in the log and in log.filter.
func (v Level) String() string {
	if int(v) >= len(levelNames) {
		return levelNames[Fatal]
	}
	return levelNames[v]
}
