package protocol

// Level is a log level; a message is written if its level is above the
// filter.
type Level uint8

// The levels, low to high.
const (
	LevelNone Level = iota
	LevelTrace
	LevelDebug
	LevelInfo
	LevelWarning
	LevelError
	LevelFatal
)

var levelNames = [...]string{
	LevelNone:    "none",
	LevelTrace:   "trace",
	LevelDebug:   "debug",
	LevelInfo:    "info",
	LevelWarning: "warning",
	LevelError:   "error",
	LevelFatal:   "fatal",
}

// String gives the level's name in log.filter.
func (l Level) String() string {
	if l > LevelFatal {
		l = LevelFatal
	}
	return levelNames[l]
}

// ParseLevel finds a level by its exact lower-case name.
func ParseLevel(b []byte) (Level, bool) {
	for i, name := range &levelNames {
		if name == string(b) {
			return Level(i), true
		}
	}
	return 0, false
}

// LevelSet is what log.filter asks for.
type LevelSet uint8

// The four forms of log.filter.
const (
	LevelQuery LevelSet = iota // no argument: only the answer
	LevelUp                    // +
	LevelDown                  // -
	LevelTo                    // a name, in Command.Level
)

// Apply gives the filter that follows current; to is the Level of LevelTo.
// Both ends clamp.
func (s LevelSet) Apply(current, to Level) Level {
	switch s {
	case LevelUp:
		return min(current+1, LevelFatal)
	case LevelDown:
		return max(current, LevelTrace) - 1
	case LevelTo:
		return to
	}
	return current
}
