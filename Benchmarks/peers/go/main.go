// Go: a goroutine and a buffer for every connection, all on one processor as the others are.
// Packets are checked where they lie and sent back from there, one write for each read.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"runtime"
)

const (
	headerLength      = 9
	overhead          = 11
	maximumDataLength = 16 << 20
	firstCapacity     = 16 << 10
	grownCapacity     = 256 << 10
)

// wholePackets returns the bytes of the whole packets at the front, the length of the packet after
// them (0 while its header is not there), and whether they keep the protocol.
func wholePackets(bytes []byte) (end, needed int, isValid bool) {
	for len(bytes)-end >= headerLength {
		dataLength := binary.BigEndian.Uint32(bytes[end+5:])
		if dataLength > maximumDataLength {
			return end, 0, false
		}
		length := overhead + int(dataLength)
		if len(bytes)-end < length {
			return end, length, true
		}
		packet := bytes[end : end+length]
		if packet[length-2] != '\r' || packet[length-1] != '\n' {
			return end, 0, false
		}
		end += length
	}
	return end, 0, true
}

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, firstCapacity)
	count := 0
	for {
		received, err := connection.Read(buffer[count:])
		if err != nil {
			return
		}
		count += received
		isFull := count == len(buffer)
		whole, needed, isValid := wholePackets(buffer[:count])
		if !isValid {
			return
		}
		if whole > 0 {
			if _, err := connection.Write(buffer[:whole]); err != nil {
				return
			}
		}
		rest := buffer[whole:count]
		if needed > len(buffer) || (isFull && len(buffer) < grownCapacity) {
			if needed < grownCapacity {
				needed = grownCapacity
			}
			buffer = make([]byte, needed)
		}
		count = copy(buffer, rest)
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go PORT")
		os.Exit(64)
	}
	runtime.GOMAXPROCS(1)
	// No keepalive, which no other peer asks for: it takes four calls a connection.
	configuration := net.ListenConfig{KeepAlive: -1}
	listener, err := configuration.Listen(context.Background(), "tcp4", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
	for {
		connection, err := listener.Accept()
		if err == nil {
			go serve(connection)
		}
	}
}
