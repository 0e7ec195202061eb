package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// untilTold returns a context that ends with SIGINT or SIGTERM and, if parentPipe, with the
// end of standard input. The kernel closes a dead starter's end of that pipe however the
// starter died, so even SIGKILL leaves no control plane behind.
func untilTold(parentPipe bool) (context.Context, context.CancelFunc) {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	if parentPipe {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	return ctx, cancel
}
