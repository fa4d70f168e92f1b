"""The sound of joined videos: AAC packets as they are, and silence where a video has none.

AAC comes in packets of 1024 samples. The file's sound is a grid of such packets without a gap: those of each video
begin where it does, to half a packet, and what lies beyond its end is left out. As the beginning of each video is
rounded by itself, nothing adds up. Silence is encoded once, with the settings of what sounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from manimcast.engine.join import JoinError

SAMPLES = 1024
"""Of one packet."""
_FORMATS = {"mp4", "mov"}
"""Files whose sound is AAC."""
_CONFIGURATION = 2
"""Bytes that say how AAC is to be decoded; what may follow says that there is nothing else."""


@dataclass(frozen=True)
class Sound:
    """The packets of a video's sound, by their number on its own grid, and their settings."""

    rate: int
    layout: str
    configuration: bytes
    packets: Mapping[int, bytes]

    @property
    def settings(self) -> tuple[int, str, bytes]:
        """What has to be the same for two sounds to be one."""
        return self.rate, self.layout, self.configuration


def sound_of(reader: InputContainer, name: str, container: str) -> Sound | None:
    """Return the sound of an open video called ``name``, a file of the format ``container``; None if it has none.

    Raises :class:`~manimcast.engine.join.JoinError` for sound that cannot be joined.
    """
    if not reader.streams.audio:
        return None
    stream = reader.streams.audio[0]
    coder: AudioCodecContext | None = stream.codec_context  # None for what no decoder is known for
    if coder is None or container not in _FORMATS or coder.name != "aac":
        raise JoinError(f"{name} has sound, which can be joined in mp4 and mov only.")
    found = {}
    for packet in reader.demux(stream):
        if packet.pts is not None and packet.time_base is not None:
            found[round(packet.pts * packet.time_base * coder.sample_rate / SAMPLES)] = bytes(packet)
    return Sound(coder.sample_rate, coder.layout.name, bytes(coder.extradata or b"")[:_CONFIGURATION], found)


class Soundtrack:
    """The sound of the file ``output``, with the settings of ``template``."""

    def __init__(self, output: OutputContainer, template: AudioStream) -> None:
        self._output = output
        coder = template.codec_context
        self._settings = (coder.sample_rate, coder.layout.name, bytes(coder.extradata or b"")[:_CONFIGURATION])
        self._rate = coder.sample_rate
        self._silence = _silence(coder)
        self._stream = output.add_stream_from_template(template)
        self._waiting: dict[int, bytes] = {}
        self._next = 0
        self._end = 0

    def append(self, sound: Sound | None, start: Fraction, end: Fraction, name: str) -> None:
        """Add the sound of the video called ``name``, from ``start`` to ``end`` in seconds; None is silence.

        Raises :class:`~manimcast.engine.join.JoinError` when its settings are other ones.
        """
        if sound is not None and sound.settings != self._settings:
            raise JoinError(f"{name} has sound with other settings than that of the videos before it.")
        first = round(start * self._rate / SAMPLES)
        self._end = math.ceil(end * self._rate / SAMPLES)
        for number, data in (sound.packets if sound is not None else {}).items():
            # The packet before the first one is what a decoder needs to begin with: better than silence.
            if self._next <= first + number < self._end and number >= -1:
                self._waiting[first + number] = data
        if sound is None:
            self._waiting = {number: data for number, data in self._waiting.items() if number < first}
        self._flush(self._end - 2)

    def finish(self) -> None:
        """Write what is left."""
        self._flush(self._end)

    def _flush(self, end: int) -> None:
        for number in range(self._next, end):
            packet: Packet[Any] = Packet(self._waiting.pop(number, self._silence))
            packet.stream, packet.time_base = self._stream, Fraction(1, self._rate)
            packet.pts = packet.dts = number * SAMPLES
            packet.duration = SAMPLES
            self._output.mux_one(packet)
        self._next = max(self._next, end)


def _silence(like: AudioCodecContext) -> bytes:
    """Return a packet of silence for a decoder of what ``like`` decodes."""
    coder = av.CodecContext.create("aac", "w")
    assert isinstance(coder, AudioCodecContext)  # noqa: S101  by its name
    coder.sample_rate, coder.layout, coder.format = like.sample_rate, like.layout.name, "fltp"
    silent = np.zeros((like.layout.nb_channels, SAMPLES), np.float32)
    found = []
    for number in range(4):  # the first ones are of before the sound
        frame = AudioFrame.from_ndarray(silent, "fltp", like.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = (
            like.sample_rate,
            number * SAMPLES,
            Fraction(1, like.sample_rate),
        )
        found += [bytes(packet) for packet in coder.encode(frame)]
    if not found:
        raise JoinError("Silence cannot be encoded.")
    return found[-1]
