package main

import (
	"daemonproxy/handle"
	"daemonproxy/service"
)

// loanRoom is for how many descriptors a start has room at first, if there is no
// limit.
const loanRoom = 8

// descriptors lends named handles to services, which do not know of handles.
type descriptors struct {
	*handle.Registry
	room int
}

func (d descriptors) NewLoan() service.Loan { return d.Registry.NewLoan(d.room) }
