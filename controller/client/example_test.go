package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"daemonproxy/controller/client"
)

func ExampleDial() {
	d := exampleDaemon()
	defer d.end()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, d.socket)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	c.Do(ctx, "service.args", "job", "/bin/sh", "-c", "exit 7")
	if _, err := c.Do(ctx, "service.start", "job"); err != nil {
		log.Fatal(err)
	}
	err = c.Wait(ctx, func(s *client.State) bool { return s.Services["job"].State == client.Down })
	if err != nil {
		log.Fatal(err)
	}
	job, _ := c.Service("job")
	fmt.Println(job.Exit)

	_, err = c.Do(ctx, "service.start", "jib")
	fmt.Println(err)
	var refused *client.Error
	fmt.Println(errors.As(err, &refused), refused.Text)
	// Output:
	// exit 7
	// service.start jib: No such service
	// true No such service
}

func ExampleClient_Events() {
	d := exampleDaemon()
	defer d.end()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, d.socket)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	c.Do(ctx, "service.args", "job", "/bin/true")
	for event, err := range c.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case client.Synced: // all there is has been told
			c.Do(ctx, "service.start", "job")
		case client.ServiceArgs:
			fmt.Println(e.Name, "runs", e.Args)
		case client.ServiceState:
			fmt.Println(e.Name, "is", e.State)
			if e.State == client.Down && e.Exit.Reason != "" {
				fmt.Println("it ended with", e.Exit)
				return
			}
		}
	}
	// Output:
	// job is down
	// job runs [/bin/true]
	// job is start
	// job is up
	// job is down
	// it ended with exit 0
}
