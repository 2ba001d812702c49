package model

import (
	"maps"
	"strings"
)

// kind is what a path is.
type kind uint8

const (
	absent kind = iota
	directory
	regularFile
	socketFile
	device
)

// files are the paths that commands may meet, and the current directory under "". There are no links in it, and no
// names with dots.
type files map[string]kind

const currentIs = "\x00" // before the path of the current directory

func newFiles(dir string) files {
	f := files{"/": directory, "/dev": directory, "/dev/null": device, currentIs + "/": directory}
	for path := dir; path != "/" && path != ""; path = parent(path) {
		f[path] = directory
	}
	return f
}

func (f files) clone() files { return maps.Clone(f) }

func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 1)]
}

func (f files) current() string {
	for path := range f {
		if strings.HasPrefix(path, currentIs) {
			return path[1:]
		}
	}
	return "/"
}

func (f files) absolute(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = strings.TrimSuffix(f.current(), "/") + "/" + path
	}
	return path
}

// find follows a path up to its last name: what that is, or why it can't be reached.
func (f files) find(path string) (full string, is kind, errno string) {
	if path == "" {
		return "", absent, "No such file or directory"
	}
	full = f.absolute(path)
	at := ""
	names := strings.Split(full[1:], "/")
	for i, name := range names {
		if full == "/" {
			return "/", directory, ""
		}
		if len(name) > 255 {
			return full, absent, "File name too long"
		}
		at += "/" + name
		is = f[at]
		if i == len(names)-1 {
			break
		}
		switch is {
		case absent:
			return full, absent, "No such file or directory"
		case directory:
		default:
			return full, absent, "Not a directory"
		}
	}
	return full, is, ""
}

func (f files) mkdirs(path string) {
	if path == "" {
		return
	}
	full := f.absolute(path)
	for i := 1; i < len(full); i++ {
		if full[i] == '/' {
			if dir, is, errno := f.find(full[:i]); errno == "" && is == absent {
				f[dir] = directory
			}
		}
	}
}

func (f files) open(path string, flags map[string]bool) (errno string) {
	full, is, errno := f.find(path)
	switch {
	case errno != "":
		return errno
	case is == absent && !flags["create"]:
		return "No such file or directory"
	case is == absent:
		f[full] = regularFile
	case is == directory && (flags["write"] || flags["create"] || flags["trunc"]):
		return "Is a directory"
	case is == socketFile:
		return "No such device or address"
	}
	return ""
}

func (f files) bind(path string) (errno string) {
	full, is, errno := f.find(path)
	switch {
	case errno != "":
		return errno
	case is != absent:
		return "Address already in use"
	}
	f[full] = socketFile
	return ""
}

func (f files) chdir(path string) (errno string) {
	full, is, errno := f.find(path)
	switch {
	case errno != "":
		return errno
	case is == absent:
		return "No such file or directory"
	case is != directory:
		return "Not a directory"
	}
	delete(f, currentIs+f.current())
	f[currentIs+full] = directory
	return ""
}
