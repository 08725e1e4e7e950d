// tokio: one thread, a task and a buffer for every connection. Packets are checked where they lie
// and sent back from there, one write for each read.
use bytes::{Buf, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const HEADER_LENGTH: usize = 9;
const OVERHEAD: usize = 11;
const MAXIMUM_DATA_LENGTH: usize = 16 << 20;
const FIRST_CAPACITY: usize = 16 << 10;
const GROWN_CAPACITY: usize = 256 << 10;

/// The bytes of the whole packets at the front, and the length of the packet after them: 0 while
/// its header is not there.
fn whole_packets(bytes: &[u8]) -> io::Result<(usize, usize)> {
    let mut end = 0;
    while bytes.len() - end >= HEADER_LENGTH {
        let rest = &bytes[end..];
        let data_length = u32::from_be_bytes([rest[5], rest[6], rest[7], rest[8]]) as usize;
        if data_length > MAXIMUM_DATA_LENGTH {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let length = OVERHEAD + data_length;
        if rest.len() < length {
            return Ok((end, length));
        }
        if &rest[length - 2..length] != b"\r\n" {
            return Err(io::ErrorKind::InvalidData.into());
        }
        end += length;
    }
    Ok((end, 0))
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = BytesMut::with_capacity(FIRST_CAPACITY);
    let mut capacity = FIRST_CAPACITY;
    while stream.read_buf(&mut received).await? > 0 {
        let is_full = received.len() == received.capacity();
        let (whole, needed) = whole_packets(&received)?;
        if whole > 0 {
            stream.write_all(&received[..whole]).await?;
        }
        if is_full || needed > capacity {
            capacity = needed.max(GROWN_CAPACITY);
        }
        // To clear gives the whole room back; what is advanced over only `reserve` gives back.
        if whole == received.len() {
            received.clear();
        } else {
            received.advance(whole);
        }
        received.reserve(capacity - received.len());
    }
    Ok(())
}

/// As many descriptors as the system gives without asking.
fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // Safe: both calls take a pointer to a value that outlives them.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

async fn listen(port: u16) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(65535)?;
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    }
}

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let port = port.unwrap_or_else(|| {
        eprintln!("usage: tokio PORT");
        std::process::exit(64)
    });
    raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(listen(port))
}
