"""The suite that any scheduler's adapter can be held against.

Write a subclass of ``AdapterSuite`` that says how your scheduler runs a piece of work::

    # my_package/conformance.py
    from ods_provider.conformance.suite import AdapterSuite, Ran, Work

    class MyScheduler(AdapterSuite):
        def run(self, work: Work) -> Ran:
            ...

and either name it in a test module of your own (``from my_package.conformance import MyScheduler as TestMine``), or
run::

    ODS_ADAPTER=my_package.conformance:MyScheduler pytest --pyargs ods_provider.conformance

There a class with ``run`` that is no ``AdapterSuite``, such as the reference's, gets the suite mixed in.

Without ``ODS_ADAPTER`` the suite runs against ``reference.Reference``, the smallest adapter there is: read it first.
The extra ``[portal]`` must be installed where pytest runs; the processes of the jobs need only ``ods-provider``.

How it works: the suite serves a portal from its own process and judges an adapter by what the portal saw, by the files
that stand in the end, and by what a probe heard. The probe is an ordinary plugin, named in the environment variable
``ODS_PLUGINS``; so an adapter must pass ``work.environ`` on to every process in which the job may run.
"""
