// Package model is the state of daemonproxy as docs/protocol.md describes it, in a form that can be run: services,
// handles, counted signals, log filter, guard, and what each connection has been told of them. It starts no process,
// opens nothing and knows no daemon. A test feeds it with the lines that went over real connections; the model says
// for each whether it had to come, could come, or is wrong.
//
// Most commands leave no choice: one state, one answer. Two things leave some, and the model follows all of what the
// protocol allows and nothing else:
//
// A service changes by itself: it comes up, ends, is started again. When exactly it is begun shows nowhere, yet decides
// how the next command is answered. So a service has a set of lives, each one possible course of its hidden state.
// A line narrows the set down; a line that fits none of them is a fault.
//
// Events about different objects reach each connection in an order of its own. So each object has a journal of what
// happened to it, and each connection a place in each journal. Whoever hears of something first extends the journal;
// everybody else must be told the same, object by object, and never out of turn.
package model
