package main

import (
	"daemonproxy/handle"
	"daemonproxy/service"
)

// loanRoom is for how many descriptors a start has room without growing.
const loanRoom = 8

// descriptors lends named handles to services, which do not know of handles.
type descriptors struct{ *handle.Registry }

func (d descriptors) NewLoan() service.Loan { return loan{d.Registry.NewLoan(loanRoom)} }

type loan struct{ *handle.Loan }

func (l loan) Borrow(names []byte, into service.Places) bool { return l.Loan.Borrow(names, into) }
