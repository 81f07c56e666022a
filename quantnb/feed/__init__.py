"""Binance's language and manners without any input or output: time is an argument, frames are bytes."""
