// Package service holds the services: for each a goroutine that owns its texts,
// its triggers and its state, and that is spoken to by messages (messages.go).
// The life of a service is a pure state machine (state.go).
//
// The functions of Registry are called by connections, on their goroutines;
// offers come from the clock, the signals, the spawners and the reaper. A
// service waits for nobody but the reaper and, for the moment of a borrowing,
// for handles. A requester who has caused a start waits for the spawner as well
// (Actor.hold), so that no later command of its changes that start.
package service
