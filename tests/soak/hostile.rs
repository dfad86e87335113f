//! Clients that mean no good. What they get is not looked at; what the others get is.

use crate::tally::Tally;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Starts them: one thread that does one thing after the other.
pub(crate) fn start(address: SocketAddr, tally: &Arc<Tally>, stop: &Arc<AtomicBool>) -> Vec<JoinHandle<()>> {
    let (tally, stop) = (tally.clone(), stop.clone());
    vec![std::thread::spawn(move || {
        let mut held = Vec::new();
        let mut turn = 0;
        while !stop.load(Ordering::Relaxed) {
            let deeds = DEEDS.iter().cycle().skip(turn % DEEDS.len()).take(1);
            for (kind, deed) in deeds {
                let _ = deed(address, turn as u64, &mut held);
                tally.did(kind);
            }
            // Connections that are held on to are let go of after a while.
            if held.len() > 60 {
                held.drain(..20);
            }
            turn += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
    })]
}

type Deed = fn(SocketAddr, u64, &mut Vec<TcpStream>) -> std::io::Result<()>;

const DEEDS: [(&str, Deed); 9] = [
    ("hostile: stalled body", stalled_body),
    ("hostile: idle connections", idle),
    ("hostile: half a head", half_a_head),
    ("hostile: random bytes", random_bytes),
    ("hostile: reset", reset),
    ("hostile: bad chunks", bad_chunks),
    ("hostile: never reads", never_reads),
    ("hostile: burst", burst),
    ("hostile: pipelined bodies", pipelined_bodies),
];

fn stalled_body(address: SocketAddr, turn: u64, held: &mut Vec<TcpStream>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let length = [1025, 100_000_000, 104_857_600][turn as usize % 3];
    write!(stream, "POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nabc")?;
    held.push(stream);
    Ok(())
}

fn idle(address: SocketAddr, _: u64, held: &mut Vec<TcpStream>) -> std::io::Result<()> {
    for _ in 0..5 {
        held.push(TcpStream::connect(address)?);
    }
    Ok(())
}

fn half_a_head(address: SocketAddr, _: u64, held: &mut Vec<TcpStream>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /api HTTP/1.1\r\nAuthorization: Bear")?;
    held.push(stream);
    Ok(())
}

fn random_bytes(address: SocketAddr, turn: u64, _: &mut Vec<TcpStream>) -> std::io::Result<()> {
    let mut state = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let bytes: Vec<u8> = (0..2000).map(|_| next()).collect();
    TcpStream::connect(address)?.write_all(&bytes)
}

/// Closing with an answer unread makes the kernel send a reset.
fn reset(address: SocketAddr, _: u64, _: &mut Vec<TcpStream>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /public HTTP/1.1\r\nHost: x\r\n\r\nGET /public HTTP/1.1\r\n")?;
    std::thread::sleep(Duration::from_millis(20));
    Ok(())
}

fn bad_chunks(address: SocketAddr, turn: u64, _: &mut Vec<TcpStream>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let chunk = ["zz\r\n", "ffffffffffffffff\r\nab", "-1\r\n", "5\r\nhelloXX0\r\n\r\n"][turn as usize % 4];
    write!(stream, "POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}")?;
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    let _ = stream.read(&mut [0; 512]);
    Ok(())
}

fn never_reads(address: SocketAddr, _: u64, held: &mut Vec<TcpStream>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_write_timeout(Some(Duration::from_millis(200)))?;
    let _ = stream.write_all(&b"GET /public HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500));
    held.push(stream);
    Ok(())
}

fn burst(address: SocketAddr, _: u64, held: &mut Vec<TcpStream>) -> std::io::Result<()> {
    let streams: Vec<TcpStream> = (0..30).filter_map(|_| TcpStream::connect(address).ok()).collect();
    for mut stream in streams {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")?;
        if held.len() < 40 {
            held.push(stream);
        }
    }
    Ok(())
}

fn pipelined_bodies(address: SocketAddr, _: u64, _: &mut Vec<TcpStream>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let chunked = "POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let counted = format!("POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n{}", "x".repeat(3000));
    let plain = "GET /public HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all([chunked, plain, &counted, plain].concat().repeat(5).as_bytes())?;
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut buffer = [0; 16 * 1024];
    while stream.read(&mut buffer).is_ok_and(|bytes| bytes > 0) {}
    Ok(())
}
