package client_test

import (
	"context"
	"log"
	"strconv"

	"daemonproxy/controller/client"
)

func Example_controller() {
	keepUp()
}

// This is a whole controller: it starts the service "web", starts it again 2 seconds after each end, and on SIGTERM or
// SIGINT ends first the service and then daemonproxy, which runs it with control.event as descriptor 0 and control.cmd
// as descriptor 1. A loop over Events begins with what there is, so a controller that was restarted finds its place.
func keepUp() {
	ctx := context.Background()
	c, err := client.Stdio(ctx)
	if err != nil {
		log.Fatal(err)
	}
	stopping := false
	for event, err := range c.Events(ctx) {
		if err != nil {
			log.Fatal(err) // daemonproxy has ended, or the connection
		}
		switch e := event.(type) {
		case client.SignalCount:
			stopping = stopping || e.Name == "SIGTERM" || e.Name == "SIGINT"
		case client.ServiceState:
			if e.Name != "web" {
				continue
			}
		default:
			continue
		}
		switch web, _ := c.Service("web"); {
		case stopping && web.State == client.Up:
			_, err = c.Do(ctx, "service.signal", "web", "TERM")
		case stopping && web.State == client.Start:
			_, err = c.Do(ctx, "service.start", "web", "-")
		case stopping:
			_, err = c.Do(ctx, "terminate", "0")
		case web.State == client.Down:
			due := strconv.FormatInt(web.Time+2, 10)
			if _, err = c.Do(ctx, "service.start", "web", due); err != nil { // that is past already, or it never ran
				_, err = c.Do(ctx, "service.start", "web")
			}
		}
		if err != nil {
			log.Print(err)
		}
	}
}
