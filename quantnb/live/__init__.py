"""The only place that waits: sockets, REST and the clock. What is decided, `quantnb.feed` decides."""
