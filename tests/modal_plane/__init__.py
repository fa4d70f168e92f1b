"""A control plane of Modal's kind on loopback, for the real client and the real container side.

The pinned ``modal`` client deploys to it, looks functions up, calls them and streams what they yield, as it does with
Modal's cloud; each container is the client's own container entry point, as a process on this machine. Start it with
:func:`tests.modal_plane.running.plane`; make things go wrong with :mod:`tests.modal_plane.faults`.

What this proves: the client's side, the app's definition, what goes over the wire, and how both ends behave when
something fails. What it does not: that the image builds, that cores, memory and the network are limited as asked,
that a snapshot restores. Access to Modal from within containers is restricted as defined.
"""
